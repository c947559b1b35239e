import type { Dirent } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { RESERVED_SEGMENT } from './file-store.js';

/**
 * Keys of the files below `root` that start with `prefix`, by the order of their bytes, as S3 lists them.
 * Only folders that can hold such a key are read. Symbolic links are not followed.
 */
export async function* keysUnder(root: string, prefix: string): AsyncGenerator<string> {
  const base = prefix.slice(0, prefix.lastIndexOf('/') + 1);
  const segments = base.split('/').slice(0, -1);
  if (segments.some((segment) => segment === '' || segment === '.' || segment === '..')) return;
  if (prefix.includes('\0') || segments[0] === RESERVED_SEGMENT) return;
  yield* walk(join(root, ...segments), base, prefix);
}

async function* walk(folder: string, base: string, prefix: string): AsyncGenerator<string> {
  for (const entry of await sortedEntries(folder)) {
    const key = base + entry.name;
    if (entry.isDirectory()) {
      const inside = `${key}/`;
      const reserved = key === RESERVED_SEGMENT;
      if (!reserved && (inside.startsWith(prefix) || prefix.startsWith(inside))) {
        yield* walk(join(folder, entry.name), inside, prefix);
      }
    } else if (entry.isFile() && key.startsWith(prefix)) yield key;
  }
}

/** A folder sorts as if its name ended in a slash: then the keys of the whole tree come in order. */
async function sortedEntries(folder: string): Promise<Dirent[]> {
  let entries: Dirent[];
  try {
    entries = await readdir(folder, { withFileTypes: true });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return [];
    throw error;
  }
  return entries
    .map((entry) => ({ entry, bytes: Buffer.from(entry.isDirectory() ? `${entry.name}/` : entry.name) }))
    .sort((a, b) => Buffer.compare(a.bytes, b.bytes))
    .map(({ entry }) => entry);
}
