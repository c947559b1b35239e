import { rm, stat } from 'node:fs/promises';

/** Runs `write`, and removes what it left at `path` where it fails: half a file looks like a whole one. */
export async function removingOnFailure(path: string, write: () => Promise<unknown>): Promise<void> {
  try {
    await write();
  } catch (error) {
    await rm(path, { force: true });
    throw error;
  }
}

/** Throws where there is no file to read at `path`. Engines would read a folder's files, or none. */
export async function assertFile(path: string): Promise<void> {
  const found = await stat(path);
  if (found.isFile()) return;
  throw Object.assign(new Error(`EISDIR: expected a file to load at ${path}`), { code: 'EISDIR' });
}
