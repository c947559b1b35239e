import { constants } from 'node:fs';
import { type FileHandle, open, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { fault, SourceChangedError } from '../../src/kit/index.js';
import { isInside, isSystemError, revisionOf } from './walk.js';

const CHUNK_BYTES = 1024 * 1024;

/** A stream of `revision` of the file behind `key`, and of nothing else. */
export async function openRevision(
  root: string,
  file: { key: string; revision: string },
  signal: AbortSignal,
): Promise<Readable> {
  const handle = await openInside(root, file.key);
  try {
    await ensureRevision(handle, file);
  } catch (error) {
    await handle.close();
    throw error;
  }
  const stream = Readable.from(chunksOf(handle, file, signal), {
    objectMode: false,
    highWaterMark: CHUNK_BYTES,
  });
  // Not in the generator's `finally`, which does not run where nobody began to read. What was read is read;
  // that the descriptor could not be closed is nothing a reader could act on.
  return stream.once('close', () => {
    handle.close().catch(() => undefined);
  });
}

async function openInside(root: string, key: string): Promise<FileHandle> {
  try {
    const path = await realpath(join(root, key));
    if (!isInside(root, path)) throw changed(key);
    // The path is real, so a link here was put in place meanwhile; a pipe must not make the hub wait.
    return await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    if (!isSystemError(error)) throw error;
    if (['ENOENT', 'ENOTDIR', 'ELOOP'].includes(error.code)) throw changed(key);
    throw fault.config(
      'FILE_UNREADABLE',
      `The file ${key} cannot be read (${error.code}). Give the hub's user the right to read it.`,
    );
  }
}

async function* chunksOf(
  handle: FileHandle,
  file: { key: string; revision: string },
  signal: AbortSignal,
): AsyncGenerator<Buffer> {
  let position = 0;
  for (;;) {
    signal.throwIfAborted();
    const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
    const { bytesRead } = await handle.read(chunk, 0, CHUNK_BYTES, position);
    if (bytesRead === 0) break;
    position += bytesRead;
    yield chunk.subarray(0, bytesRead);
  }
  // Whoever read a mixture of two contents must hear of it before the end, not after.
  await ensureRevision(handle, file);
}

async function ensureRevision(handle: FileHandle, file: { key: string; revision: string }): Promise<void> {
  const stats = await handle.stat({ bigint: true });
  if (!stats.isFile() || revisionOf(stats) !== file.revision) throw changed(file.key);
}

function changed(key: string): SourceChangedError {
  return new SourceChangedError(`The file ${key} changed after it was listed.`);
}
