/** `npm run bench`: builds what is missing, then measures. `npm run bench -- --help` says how. */
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { prepare, root } from '../scripts/prepare.mjs';

await prepare();
await import(pathToFileURL(join(root, 'dist', 'bench', 'main.js')).href);
