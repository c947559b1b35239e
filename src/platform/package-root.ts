import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Folder of the project's package.json, whether the code runs from src/ or from dist/src/. */
export const packageRoot: string = findUp(dirname(fileURLToPath(import.meta.url)));

/** Version of the hub, from its package.json. */
export const hubVersion: string = (
  JSON.parse(readFileSync(join(packageRoot, 'package.json'), 'utf8')) as { version: string }
).version;

function findUp(folder: string): string {
  if (existsSync(join(folder, 'package.json'))) return folder;
  const parent = dirname(folder);
  if (parent === folder) throw new Error('No package.json above the program: the installation is not whole.');
  return findUp(parent);
}
