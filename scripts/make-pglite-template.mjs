/**
 * Makes dist/pglite-template, the data directory that a first start copies instead of running initdb
 * (seconds and 800 MB). Part of `npm run build`; does nothing where the template is there already.
 */
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { PGlite } from '@electric-sql/pglite';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const template = join(root, 'dist', 'pglite-template');
const stamp = `${template}.version`;
const version = JSON.parse(
  readFileSync(join(root, 'node_modules', '@electric-sql', 'pglite', 'package.json'), 'utf8'),
).version;

const wanted = `${version}, readable for all`;
const fresh = existsSync(template) && existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted;
if (!fresh) {
  const half = `${template}.half`;
  rmSync(template, { recursive: true, force: true });
  rmSync(half, { recursive: true, force: true });
  mkdirSync(dirname(template), { recursive: true });
  const client = await PGlite.create({ dataDir: half });
  await client.close();
  // The database makes its files for its own user; who builds is seldom who runs, and there is nothing secret in it.
  letAllRead(half);
  renameSync(half, template);
  writeFileSync(stamp, wanted);
}

function letAllRead(folder) {
  chmodSync(folder, 0o755);
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) letAllRead(path);
    else chmodSync(path, 0o644);
  }
}
