import { HubError } from '../../domain/errors/index.js';
import { isBinaryStart, START_BYTES } from '../../domain/files/index.js';
import type { RecordCount } from '../../platform/database/index.js';

const NEWLINE = 0x0a;
const RETURN = 0x0d;
const QUOTE = 0x22;

/**
 * Counts the records of a file while it comes: line ends outside quotes with something before them, in files of
 * single bytes. What else there is (UTF-16, workbooks, carriage returns alone) is counted when it is read as a table.
 * A file that comes in pieces is counted on from the `state` of the piece before.
 */
export class RecordCounter {
  private count: RecordCount;

  /** @param maxRecords below the header; more make {@link take} throw BAD_REQUEST. */
  constructor(
    private readonly maxRecords: number,
    state: RecordCount = { start: '', lines: 0, quoted: false, blank: true },
  ) {
    this.count = { ...state };
  }

  /** To count on from later. */
  get state(): RecordCount {
    return { ...this.count };
  }

  /** The first bytes of the file, as far as they are there. */
  get start(): Buffer {
    return Buffer.from(this.count.start, 'hex');
  }

  take(chunk: Buffer): void {
    const { start } = this;
    if (start.length < START_BYTES) {
      const missing = chunk.subarray(0, START_BYTES - start.length);
      this.count.start = Buffer.concat([start, missing]).toString('hex');
    }
    if (isBinaryStart(this.start)) return;
    this.scan(chunk);
    if (this.count.lines > this.maxRecords + 1) throw tooManyRecords(this.maxRecords);
  }

  private scan(chunk: Buffer): void {
    let { lines, quoted, blank } = this.count;
    // By index: an iterator over every byte of a gigabyte would hold everybody else up.
    for (let at = 0; at < chunk.length; at += 1) {
      const byte = chunk[at];
      if (byte === NEWLINE && !quoted) {
        if (!blank) lines += 1;
        blank = true;
      } else if (byte !== RETURN) {
        if (byte === QUOTE) quoted = !quoted;
        blank = false;
      }
    }
    this.count = { ...this.count, lines, quoted, blank };
  }
}

/** The chunks of a file as they come; throws as soon as it has more records, before the rest is read. */
export async function* countedRecords(
  chunks: AsyncIterable<Buffer>,
  counter: RecordCounter,
): AsyncGenerator<Buffer> {
  for await (const chunk of chunks) {
    counter.take(chunk);
    yield chunk;
  }
}

function tooManyRecords(maxRecords: number): HubError {
  return new HubError('BAD_REQUEST', `The file has more than ${maxRecords} records. Split it.`);
}
