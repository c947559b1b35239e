import { plugins } from '../../plugins/index.js';
import { loadExternalPlugins, PluginRegistry } from '../host/registry/index.js';
import type { Config } from '../platform/env/index.js';
import { StartupError } from './startup-error.js';

/** The plugins that come with the hub, and those that HUB_PLUGINS names. */
export async function loadPlugins(config: Config): Promise<PluginRegistry> {
  try {
    const external = config.plugins ? await loadExternalPlugins(config.plugins) : [];
    return new PluginRegistry([...plugins, ...external]);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new StartupError(`The hub did not start: ${reason}`, { cause: error });
  }
}
