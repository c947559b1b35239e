import { randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, open, readdir, realpath, rename, rm, rmdir, stat, unlink } from 'node:fs/promises';
import { dirname, join, sep } from 'node:path';
import type { Readable } from 'node:stream';
import {
  checkedKey,
  checkedRange,
  chunksOf,
  FileMissingError,
  InvalidKeyError,
  joined,
  RESERVED_SEGMENT,
  StorageFullError,
  type ByteRange,
  type Drafts,
  type FileBody,
  type FileStat,
  type FileStore,
} from './file-store.js';
import { keysUnder } from './walk-folder.js';

/** A draft that nothing was written to for so long was left by a crash: senders are cut off long before. */
const STALE_DRAFT_MS = 3_600_000;
/** A folder can vanish between making it and using it, when its last file is deleted. */
const PUT_TRIES = 3;

/**
 * Files in a folder. A file is written to `.hub-tmp/` first, synced and renamed, so that a reader sees the
 * old one or the new one. Keys cannot leave the folder, not even over a symbolic link inside it.
 */
export class FolderFileStore implements FileStore {
  #ready: Promise<string> | undefined;

  /** @param root absolute path; made when the first file is written. */
  constructor(private readonly root: string) {}

  async put(key: string, body: FileBody): Promise<{ sizeBytes: number }> {
    const path = this.localPath(key);
    return this.#explained(async () => {
      const realRoot = await this.#prepared();
      const drafts = join(realRoot, RESERVED_SEGMENT);
      const draft = join(drafts, randomUUID());
      // Somebody may have cleared the whole folder away since.
      await mkdir(drafts, { recursive: true });
      try {
        const sizeBytes = await writeSynced(draft, body);
        await this.#place(draft, path, key, realRoot);
        return { sizeBytes };
      } finally {
        await rm(draft, { force: true });
      }
    });
  }

  async get(key: string, range?: ByteRange): Promise<Readable> {
    const path = this.localPath(key);
    const { offsetBytes = 0, lengthBytes } = checkedRange(range) ?? {};
    const found = await this.stat(key);
    if (!found) throw new FileMissingError(key, this.root);
    const file = await open(path, 'r').catch((error: unknown) => {
      throw isMissing(error) ? new FileMissingError(key, this.root) : error;
    });
    const end = lengthBytes === undefined ? undefined : offsetBytes + lengthBytes - 1;
    return createReadStream(path, { fd: file, start: offsetBytes, end, highWaterMark: 256 * 1024 });
  }

  async stat(key: string): Promise<FileStat | undefined> {
    const path = this.localPath(key);
    try {
      await this.#assertInside(path, key, await realpath(this.root));
      const found = await stat(path);
      return found.isFile() ? { sizeBytes: found.size, modifiedAt: found.mtime } : undefined;
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw error;
    }
  }

  async delete(key: string): Promise<void> {
    const path = this.localPath(key);
    try {
      await this.#assertInside(dirname(path), key, await realpath(this.root));
      await unlink(path);
    } catch (error) {
      if (isMissing(error)) return;
      throw error;
    }
    await this.#pruneEmptyFolders(dirname(path));
  }

  async *list(prefix: string): AsyncGenerator<string> {
    yield* keysUnder(this.root, prefix);
  }

  localPath(key: string): string {
    return join(this.root, ...checkedKey(key).split('/'));
  }

  async concat(key: string, parts: readonly string[]): Promise<{ sizeBytes: number }> {
    return this.put(key, joined(this, parts));
  }

  async clearDrafts(which: Drafts): Promise<number> {
    return clearDrafts(join(this.root, RESERVED_SEGMENT), which);
  }

  /** Makes the folder once, and clears away the drafts that crashes left. */
  #prepared(): Promise<string> {
    this.#ready ??= prepare(this.root).catch((error: unknown) => {
      this.#ready = undefined;
      throw error;
    });
    return this.#ready;
  }

  async #place(draft: string, path: string, key: string, realRoot: string): Promise<void> {
    const folder = dirname(path);
    for (let attempt = 1; ; attempt += 1) {
      try {
        await mkdir(folder, { recursive: true });
        await this.#assertInside(folder, key, realRoot);
        await rename(draft, path);
        await syncFolder(folder);
        return;
      } catch (error) {
        const vanished = (error as NodeJS.ErrnoException).code === 'ENOENT';
        if (!vanished || attempt === PUT_TRIES) throw error;
      }
    }
  }

  async #assertInside(path: string, key: string, realRoot: string): Promise<void> {
    const real = await realpath(path);
    if (real === realRoot || real.startsWith(realRoot.endsWith(sep) ? realRoot : realRoot + sep)) return;
    throw new InvalidKeyError(key, `a symbolic link leads it out of ${this.root}`);
  }

  async #pruneEmptyFolders(from: string): Promise<void> {
    for (let folder = from; folder.length > this.root.length; folder = dirname(folder)) {
      try {
        await rmdir(folder);
      } catch {
        return;
      }
    }
  }

  async #explained<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'ENOSPC' || code === 'EDQUOT') throw new StorageFullError(this.root, { cause: error });
      throw error;
    }
  }
}

async function prepare(root: string): Promise<string> {
  const drafts = join(root, RESERVED_SEGMENT);
  await mkdir(drafts, { recursive: true });
  await clearDrafts(drafts, 'stale');
  return realpath(root);
}

async function clearDrafts(drafts: string, which: Drafts): Promise<number> {
  const names = await readdir(drafts).catch((error: unknown) => {
    if (isMissing(error)) return [];
    throw error;
  });
  let cleared = 0;
  for (const name of names) {
    const path = join(drafts, name);
    const found = await stat(path).catch(() => undefined);
    if (found === undefined) continue;
    if (which === 'stale' && Date.now() - found.mtimeMs <= STALE_DRAFT_MS) continue;
    await rm(path, { force: true });
    cleared += 1;
  }
  return cleared;
}

async function writeSynced(path: string, body: FileBody): Promise<number> {
  const file = await open(path, 'wx');
  let sizeBytes = 0;
  try {
    for await (const chunk of chunksOf(body)) {
      await file.writeFile(chunk);
      sizeBytes += chunk.byteLength;
    }
    await file.sync();
  } finally {
    await file.close();
  }
  return sizeBytes;
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

function isMissing(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === 'ENOENT' || code === 'ENOTDIR';
}
