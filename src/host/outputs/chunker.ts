import { MemberCursor, memberPieces, mpidAt } from '../../domain/members/index.js';
import type { OutputLimits, OutputMember } from '../../kit/index.js';
import { MemberList } from './member-list.js';

/** Members without an accepted identity that one chunk may hold at most, so that no chunk grows without end. */
const MAX_SKIPPED = 10_000;

const COMMA = Buffer.from(',');

/** A run of members in mpid order, closed by the output's limits. */
export interface Chunk {
  firstMpid: string;
  lastMpid: string;
  /** To be sent. Whoever keeps it keeps the text of the whole page that it stands in. */
  members: MemberList;
  /** mpids of those that have none of the accepted identities. */
  skipped: string[];
}

/** A chunk that may still grow. */
interface OpenChunk {
  firstMpid: string;
  lastMpid: string;
  size: number;
  skipped: string[];
  /** JSON of its members, commas included. */
  pieces: Buffer[];
}

/** Where a run of members begins and ends in the text, and where its last one begins. */
interface Run {
  start: number;
  last: number;
  end: number;
}

/**
 * Cuts the text of members (see `domain/members`) into chunks within the limits. A chunk is closed as soon as it is
 * full, so where chunks end depends only on where the first one began: after a crash, reading on from a chunk's end
 * gives the same chunks again, and with them the same batch ids.
 */
export class MemberChunker {
  #open: OpenChunk | undefined;
  #bytes = 0;
  /** Members to send, side by side in the text, that are not among the pieces yet. */
  #run: Run | undefined;

  constructor(private readonly limits: OutputLimits) {}

  /** The chunks that the members of `text` complete, each made when it is asked for. */
  *push(text: Buffer): Generator<Chunk, void> {
    const cursor = new MemberCursor(text);
    const { batchSize, batchBytes } = this.limits;
    while (cursor.next()) {
      if (cursor.isBare) this.#skip(text, mpidAt(text, cursor.start));
      else {
        if (batchBytes !== undefined) {
          const bytes = bytesOf(text, cursor);
          if (this.#open && this.#open.size > 0 && this.#bytes + bytes > batchBytes) yield this.#close(text);
          this.#bytes += bytes;
        }
        this.#take(text, cursor);
      }
      if (this.#open?.size === batchSize || this.#open?.skipped.length === MAX_SKIPPED)
        yield this.#close(text);
    }
    this.#endRun(text);
  }

  /** What is left when there are no more members. */
  flush(): Chunk[] {
    return this.#open ? [this.#close(Buffer.alloc(0))] : [];
  }

  #take(text: Buffer, { start, end }: MemberCursor): void {
    this.#open ??= begin(mpidAt(text, start));
    this.#open.size += 1;
    if (!this.#run) this.#run = { start, last: start, end };
    else [this.#run.last, this.#run.end] = [start, end];
  }

  #skip(text: Buffer, mpid: string): void {
    this.#endRun(text);
    this.#open ??= begin(mpid);
    this.#open.lastMpid = mpid;
    this.#open.skipped.push(mpid);
  }

  /** Puts the run that ends here among the pieces of the open chunk. */
  #endRun(text: Buffer): void {
    if (!this.#open || !this.#run) return;
    const { start, last, end } = this.#run;
    const { pieces } = this.#open;
    if (pieces.length > 0) pieces.push(COMMA);
    pieces.push(...memberPieces(text, start, end));
    this.#open.lastMpid = mpidAt(text, last);
    this.#run = undefined;
  }

  #close(text: Buffer): Chunk {
    this.#endRun(text);
    const { firstMpid, lastMpid, size, skipped, pieces } = this.#open ?? begin('');
    this.#open = undefined;
    this.#bytes = 0;
    return { firstMpid, lastMpid, members: MemberList.ofPieces(pieces, size), skipped };
  }
}

function begin(mpid: string): OpenChunk {
  return { firstMpid: mpid, lastMpid: mpid, size: 0, skipped: [], pieces: [] };
}

/** Bytes of a member's identity values, and of its attributes. */
function bytesOf(text: Buffer, { start, end }: MemberCursor): number {
  const json = Buffer.concat(memberPieces(text, start, end)).toString('utf8');
  const { identities, attributes = {} } = JSON.parse(json) as OutputMember;
  let bytes = Object.values(attributes).reduce((sum, value) => sum + Buffer.byteLength(value), 0);
  for (const values of Object.values(identities)) {
    for (const value of values ?? []) bytes += Buffer.byteLength(value);
  }
  return bytes;
}
