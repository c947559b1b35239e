import { createReadStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { ZipArchive } from 'archiver';
import type { RowsByIdentity } from '../../../domain/exports/index.js';
import { CSV_HEADER } from './csv-lines.js';
import { lookAhead } from './look-ahead.js';
import type { CsvPart, CsvSource, PartWriter } from './part-writer.js';

/** Level of `zip`'s own default. */
const LEVEL = 6;
const CHUNK_BYTES = 256 * 1024;
/** Parts that are made while an earlier one is compressed. */
const PARTS_AHEAD = 1;

/** One CSV of the archive. */
export interface ArchiveEntry {
  fileName: string;
  source: CsvSource;
}

/** What was written into one CSV. */
export interface EntryCounts {
  users: number;
  rows: RowsByIdentity;
}

type PartOfEntry = { entry: number; part: CsvPart } | { entry: number; part: null };

/**
 * The ZIP as a stream of bytes: the CSVs in order, then `manifest.json`. The engine writes the next parts
 * (also those of the next CSV) while the present one is compressed, and never more than a few parts are on
 * the disk. Entries are dated `at`, so that the same content makes the same file.
 */
export async function* writeArchive(
  writer: PartWriter,
  entries: readonly ArchiveEntry[],
  manifestOf: (counts: readonly EntryCounts[]) => string,
  options: { at: Date; signal: AbortSignal },
): AsyncGenerator<Uint8Array, void> {
  const zip = new ZipArchive({ zlib: { level: LEVEL, chunkSize: CHUNK_BYTES }, highWaterMark: CHUNK_BYTES });
  const counts = entries.map((): EntryCounts => ({ users: 0, rows: {} }));
  const parts = lookAhead(partsOf(writer, entries, options.signal), PARTS_AHEAD);
  const filled = fill(zip, entries, parts, counts, manifestOf, options.at);
  // A failure ends the stream that is read below; the same error is thrown there.
  filled.catch((error: unknown) => zip.destroy(error as Error));
  try {
    for await (const chunk of zip as AsyncIterable<Uint8Array>) {
      options.signal.throwIfAborted();
      yield chunk;
    }
    await filled;
  } finally {
    zip.destroy();
    await parts.return();
  }
}

async function fill(
  zip: ZipArchive,
  entries: readonly ArchiveEntry[],
  parts: AsyncGenerator<PartOfEntry, void>,
  counts: EntryCounts[],
  manifestOf: (counts: readonly EntryCounts[]) => string,
  at: Date,
): Promise<void> {
  for (const [index, { fileName }] of entries.entries()) {
    const counted = counts[index] ?? { users: 0, rows: {} };
    await append(zip, Readable.from(csvOf(parts, counted), { objectMode: false }), {
      name: fileName,
      date: at,
    });
  }
  await append(zip, Buffer.from(manifestOf(counts)), { name: 'manifest.json', date: at });
  await zip.finalize();
}

/** Appends one entry and waits until it is compressed. */
function append(zip: ZipArchive, body: Readable | Buffer, data: { name: string; date: Date }): Promise<void> {
  return new Promise((resolve, reject) => {
    const settle = (done: () => void) => {
      zip.off('entry', onEntry);
      zip.off('error', onError);
      zip.off('close', onClose);
      done();
    };
    const onEntry = () => settle(resolve);
    const onError = (error: Error) => settle(() => reject(error));
    const onClose = () => settle(() => reject(new Error('The archive was closed before it was whole.')));
    zip.on('entry', onEntry);
    zip.on('error', onError);
    zip.on('close', onClose);
    if (body instanceof Readable) body.once('error', onError);
    zip.append(body, data);
  });
}

async function* partsOf(
  writer: PartWriter,
  entries: readonly ArchiveEntry[],
  signal: AbortSignal,
): AsyncGenerator<PartOfEntry, void> {
  for (const [entry, { source }] of entries.entries()) {
    for await (const part of writer.parts(source, signal)) yield { entry, part };
    yield { entry, part: null };
  }
}

/** Header and rows of one CSV; adds up its counts, and deletes each part once it is read. */
async function* csvOf(
  parts: AsyncGenerator<PartOfEntry, void>,
  counts: EntryCounts,
): AsyncGenerator<Uint8Array, void> {
  yield Buffer.from(CSV_HEADER);
  for (let next = await parts.next(); !next.done && next.value.part; next = await parts.next()) {
    const { part } = next.value;
    yield* bytesOf(part.path);
    await rm(part.path, { force: true });
    counts.users += part.users;
    for (const [type, rows] of Object.entries(part.rows) as [keyof RowsByIdentity, number][]) {
      counts.rows[type] = (counts.rows[type] ?? 0) + rows;
    }
  }
}

/** An engine that found no row may not have made the file. */
async function* bytesOf(path: string): AsyncGenerator<Uint8Array, void> {
  try {
    yield* createReadStream(path, { highWaterMark: CHUNK_BYTES }) as AsyncIterable<Uint8Array>;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}
