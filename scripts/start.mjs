/** `npm start`: installs and builds what is missing, then runs the hub in this process. */
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { prepare, root } from './prepare.mjs';

if (!process.env.UV_THREADPOOL_SIZE) {
  process.stderr.write(
    'UV_THREADPOOL_SIZE is not set: large imports will hold up file access. Use `npm start`.\n',
  );
}
await prepare();
await import(pathToFileURL(join(root, 'dist', 'src', 'main.js')).href);
