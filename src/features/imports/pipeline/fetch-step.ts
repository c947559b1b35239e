import { createWriteStream } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ContextFactory } from '../../../host/context/index.js';
import { isSourceChanged } from '../../../kit/index.js';
import { plainRevision } from '../scan/routing.js';
import { ImportFailure } from './import-failure.js';
import type { ImportWork } from './import-work.js';

/** The source as it was listed, on this machine. */
export const spooledFile = (work: ImportWork): string => join(work.spool, 'source');

/**
 * Copies the source to the spool, whole or not at all. Everything after this reads the copy, so a source
 * that is replaced meanwhile is never mixed: `open` throws SourceChangedError instead.
 */
export async function fetchSource(work: ImportWork, contexts: ContextFactory): Promise<void> {
  if (work.input === undefined) {
    throw new ImportFailure({
      code: 'INPUT_DELETED',
      message:
        'The input of this import was deleted before its file was read. Make the input anew and scan it.',
    });
  }
  const { maxBytes } = work.source.shape;
  if (work.source.sizeBytes > maxBytes) throw tooLarge(maxBytes);
  await rm(work.spool, { recursive: true, force: true });
  await mkdir(work.spool, { recursive: true });
  const ready = await contexts.input(work.input);
  const half = `${spooledFile(work)}.half`;
  const { sourceKey: key, revision } = work.row;
  try {
    const stream = await ready.plugin.open(ready.context(work.signal), {
      key,
      revision: plainRevision(revision),
    });
    const limit = limitTo(maxBytes);
    await pipeline(stream, limit, createWriteStream(half, { highWaterMark: 1 << 20 }), {
      signal: work.signal,
    });
  } catch (error) {
    throw work.signal.aborted || isOurs(error) ? error : ready.failure(error);
  }
  await rename(half, spooledFile(work));
}

/** Errors that the runner tells apart by itself. */
function isOurs(error: unknown): boolean {
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
function tooLarge(maxBytes: number): ImportFailure {
  return new ImportFailure({
    code: 'FILE_TOO_LARGE',
    message: `The file is larger than the ${maxBytes} bytes that this input takes. Split it, or raise maxBytes in the input's settings.`,
  });
}
