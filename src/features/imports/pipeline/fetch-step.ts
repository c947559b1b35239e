import { createWriteStream } from 'node:fs';
import { link, mkdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Transform, type Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ContextFactory } from '../../../host/context/index.js';
import { isScheduled, isSourceChanged } from '../../../kit/index.js';
import { FileMissingError, type FileStore } from '../../../platform/files/index.js';
import { plainRevision } from '../scan/routing.js';
import { ImportFailure } from './import-failure.js';
import type { ImportWork } from './import-work.js';

/** The source as it was listed, on this machine. */
export const spooledFile = (work: ImportWork): string => join(work.spool, 'source');

/**
 * Copies the source to the spool, whole or not at all. Everything after this reads the copy, so a source
 * that is replaced meanwhile is never mixed: `open` throws SourceChangedError instead.
 */
export async function fetchSource(work: ImportWork, contexts: ContextFactory, files: FileStore) {
  const { pushed } = work.source;
  if (pushed === undefined && work.input === undefined) throw inputDeleted();
  const { maxBytes } = work.source.shape;
  if (work.source.sizeBytes > maxBytes) throw tooLarge(maxBytes);
  await rm(work.spool, { recursive: true, force: true });
  await mkdir(work.spool, { recursive: true });
  const half = `${spooledFile(work)}.half`;
  if (pushed === undefined) await fetchFromInput(work, contexts, half);
  else await fetchPushed(work, files, pushed.fileKey, half);
  await rename(half, spooledFile(work));
}

async function fetchFromInput(work: ImportWork, contexts: ContextFactory, path: string): Promise<void> {
  const ready = work.input && (await contexts.input(work.input));
  if (ready === undefined || !isScheduled(ready.plugin)) throw inputDeleted();
  const { sourceKey: key, revision } = work.row;
  try {
    const file = { key, revision: plainRevision(revision) };
    await copy(work, await ready.plugin.open(ready.context(work.signal), file), path);
  } catch (error) {
    throw work.signal.aborted || isOurs(error) ? error : ready.failure(error);
  }
}

/** A second name for the file where the store is a folder on the same disk: a gigabyte costs nothing then. */
async function fetchPushed(work: ImportWork, files: FileStore, key: string, path: string): Promise<void> {
  const local = files.localPath(key);
  if (local !== undefined && (await linked(local, path))) return;
  try {
    await copy(work, await files.get(key), path);
  } catch (error) {
    throw error instanceof FileMissingError ? fileGone() : error;
  }
}

async function linked(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to);
    return true;
  } catch {
    // Another disk, or a file system without links; what is missing shows when it is copied.
    return false;
  }
}

async function copy(work: ImportWork, stream: Readable, path: string): Promise<void> {
  await spool(stream, path, work.source.shape.maxBytes, work.signal);
}

/** Writes a stream to a file of this machine. Throws ImportFailure where it has more than `maxBytes`. */
export async function spool(
  stream: Readable,
  path: string,
  maxBytes: number,
  signal: AbortSignal,
): Promise<void> {
  await pipeline(stream, limitTo(maxBytes), createWriteStream(path, { highWaterMark: 1 << 20 }), { signal });
}

/** Errors that the runner tells apart by itself. */
export function isOurs(error: unknown): boolean {
  const { code } = error as { code?: string };
  return error instanceof ImportFailure || isSourceChanged(error) || code === 'ENOSPC' || code === 'EDQUOT';
}

function limitTo(maxBytes: number): Transform {
  let seen = 0;
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      seen += chunk.length;
      if (seen <= maxBytes) done(null, chunk);
      else done(tooLarge(maxBytes));
    },
  });
}

/** The failure of a file over the limit, in the words of the preflight. */
export function tooLarge(maxBytes: number): ImportFailure {
  return new ImportFailure({
    code: 'FILE_TOO_LARGE',
    message: `The file is larger than the ${maxBytes} bytes that this input takes. Split it, or raise maxBytes in the input's settings.`,
  });
}

function inputDeleted(): ImportFailure {
  return new ImportFailure({
    code: 'INPUT_DELETED',
    message:
      'The input of this import was deleted before its file was read. Make the input anew and scan it.',
  });
}

function fileGone(): ImportFailure {
  return new ImportFailure({
    code: 'PUSHED_FILE_GONE',
    message: 'The file that was sent to the hub is not kept any longer. Send it again.',
  });
}
