import type { z } from 'zod';
import {
  type AnyConnector,
  type InputConnector,
  type OutputConnector,
  type PublicShape,
  publicShapeOf,
} from '../../kit/index.js';
import { expiryProblem } from './expiry.js';
import { parseWith } from './settings.js';

/** Thrown for a plugin that is not there. */
export class UnknownPluginError extends Error {
  override readonly name = 'UnknownPluginError';
}

/** The plugins of this process, by id. */
export class PluginRegistry {
  readonly #plugins: ReadonlyMap<string, AnyConnector>;

  /** Throws where two connectors have the same id, or one asks for more than the hub can do. */
  constructor(connectors: Iterable<AnyConnector>) {
    const plugins = new Map<string, AnyConnector>();
    for (const connector of connectors) {
      if (plugins.has(connector.id)) {
        throw new Error(
          `Two plugins have the id "${connector.id}". Rename one, or take it out of HUB_PLUGINS.`,
        );
      }
      const problem = expiryProblem(connector);
      if (problem !== undefined) throw new Error(`The plugin "${connector.id}" cannot be used: ${problem}.`);
      plugins.set(connector.id, connector);
    }
    this.#plugins = plugins;
  }

  /** All plugins, by id. */
  all(): AnyConnector[] {
    return [...this.#plugins.values()].sort((one, other) => one.id.localeCompare(other.id));
  }

  /** The input plugin `id`; throws {@link UnknownPluginError}. */
  input(id: string): InputConnector {
    const plugin = this.#plugins.get(id);
    if (plugin?.kind !== 'input') throw this.#unknown('input', id);
    return plugin;
  }

  /** The output plugin `id`; throws {@link UnknownPluginError}. */
  output(id: string): OutputConnector {
    const plugin = this.#plugins.get(id);
    if (plugin?.kind !== 'output') throw this.#unknown('output', id);
    return plugin;
  }

  /** The catalogue's entry of the plugin `id`; throws {@link UnknownPluginError}. */
  describe(id: string): PublicShape {
    const plugin = this.#plugins.get(id);
    if (!plugin) throw this.#unknown(undefined, id);
    return publicShapeOf(plugin);
  }

  #unknown(kind: AnyConnector['kind'] | undefined, id: string): UnknownPluginError {
    const what = kind ? `${kind} plugin` : 'plugin';
    const known = this.all().filter((plugin) => kind === undefined || plugin.kind === kind);
    const list = known.map((plugin) => plugin.id).join(', ') || 'none';
    return new UnknownPluginError(`There is no ${what} "${id}". Known: ${list}.`);
  }
}

/** `raw` as the plugin's settings; throws InvalidSettingsError. */
export function parseSettings<C extends z.ZodObject>(
  plugin: { id: string; settings: C },
  raw: unknown,
): z.output<C> {
  return parseWith(plugin.id, 'settings', plugin.settings, raw);
}

/** `raw` as the plugin's credentials; throws InvalidSettingsError, which never holds a value. */
export function parseCredentials<K extends z.ZodObject>(
  plugin: { id: string; credentials: K },
  raw: unknown,
): z.output<K> {
  return parseWith(plugin.id, 'credentials', plugin.credentials, raw);
}

/** `raw` as the settings of one connection of the plugin; throws InvalidSettingsError. */
export function parseConnectionSettings<S extends z.ZodObject>(
  plugin: { id: string; connectionSettings: S },
  raw: unknown,
): z.output<S> {
  return parseWith(plugin.id, 'connectionSettings', plugin.connectionSettings, raw);
}
