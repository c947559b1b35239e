import { createRequire } from 'node:module';
import { stat } from 'node:fs/promises';
import { isAbsolute, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { isNativeError } from 'node:util/types';
import type { AnyConnector } from '../../kit/index.js';
import { shapeProblemsOf } from './connector-shape.js';

/** Thrown where a module of HUB_PLUGINS cannot be taken; one message names the module and what to mend. */
export class ExternalPluginError extends Error {
  override readonly name = 'ExternalPluginError';
}

/**
 * The connectors of the modules in `spec`: names of npm packages or paths relative to `cwd`, separated by
 * commas (`./my-plugin,@acme/hub-plugin`). A module exports connectors by name, as default, or as an array
 * named `plugins`. A folder is read as a package: its package.json's entry, or index.js.
 */
export async function loadExternalPlugins(spec: string, cwd = process.cwd()): Promise<AnyConnector[]> {
  const names = spec
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
  const loaded = await Promise.all(names.map((name) => loadModule(name, cwd)));
  return loaded.flat();
}

async function loadModule(name: string, cwd: string): Promise<AnyConnector[]> {
  const exported = await importModule(name, cwd);
  const candidates = candidatesOf(exported);
  if (candidates.size === 0) {
    throw new ExternalPluginError(
      `HUB_PLUGINS: "${name}" exports no plugin. Expected an object made by defineInput() or defineOutput(), ` +
        'exported by name, as default, or in an array "plugins".',
    );
  }
  return [...candidates].map(([connector, exportName]) => {
    const problems = shapeProblemsOf(connector);
    if (problems.length > 0) {
      throw new ExternalPluginError(
        `HUB_PLUGINS: "${name}" exports "${exportName}", which is no plugin of this hub: ${problems.join('; ')}.`,
      );
    }
    return connector as AnyConnector;
  });
}

async function importModule(name: string, cwd: string): Promise<Record<string, unknown>> {
  try {
    return (await import(await addressOf(name, cwd))) as Record<string, unknown>;
  } catch (error) {
    const reason = isNativeError(error) ? error.message.split('\n')[0] : String(error);
    throw new ExternalPluginError(
      `HUB_PLUGINS: "${name}" could not be loaded from ${cwd} (${reason}). ` +
        'Install the package, or correct the path; it is relative to where the hub is started.',
      { cause: error },
    );
  }
}

async function addressOf(name: string, cwd: string): Promise<string> {
  const require = createRequire(join(cwd, 'package.json'));
  if (!name.startsWith('.') && !isAbsolute(name)) {
    // A package that only offers `import` cannot be resolved by require; Node then looks beside the hub.
    return packagePath(require, name) ?? name;
  }
  const path = resolve(cwd, name);
  const isFolder = (await stat(path)).isDirectory();
  return pathToFileURL(isFolder ? require.resolve(path) : path).href;
}

function packagePath(require: NodeJS.Require, name: string): string | undefined {
  try {
    return pathToFileURL(require.resolve(name)).href;
  } catch {
    return undefined;
  }
}

/** Exported objects that mean to be connectors (they have a `kind`), each with the name it is exported by. */
function candidatesOf(exported: Record<string, unknown>): Map<object, string> {
  const candidates = new Map<object, string>();
  for (const [exportName, value] of Object.entries(exported)) {
    for (const one of Array.isArray(value) ? (value as unknown[]) : [value]) {
      if (typeof one === 'object' && one !== null && 'kind' in one && !candidates.has(one)) {
        candidates.set(one, exportName);
      }
    }
  }
  return candidates;
}
