/**
 * Makes dist/pglite-template, the data directory that a first start copies instead of running initdb
 * (seconds and 800 MB). Part of `npm run build`; does nothing where the template is there already.
 */
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { PGlite } from '@electric-sql/pglite';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const template = join(root, 'dist', 'pglite-template');
const stamp = `${template}.version`;
const version = JSON.parse(
  readFileSync(join(root, 'node_modules', '@electric-sql', 'pglite', 'package.json'), 'utf8'),
).version;

const fresh = existsSync(template) && existsSync(stamp) && readFileSync(stamp, 'utf8') === version;
if (!fresh) {
  const half = `${template}.half`;
  rmSync(template, { recursive: true, force: true });
  rmSync(half, { recursive: true, force: true });
  mkdirSync(dirname(template), { recursive: true });
  const client = await PGlite.create({ dataDir: half });
  await client.close();
  renameSync(half, template);
  writeFileSync(stamp, version);
}
