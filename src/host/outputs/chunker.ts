import {
  bytesOf,
  MemberCursor,
  MemberValues,
  MPID_BYTES,
  mpidAt,
  type MemberPosition,
  type MemberRows,
  type MemberRun,
} from '../../domain/members/index.js';
import type { OutputLimits } from '../../kit/index.js';
import { Habit, MemberList } from './member-list.js';

/** Members without an accepted identity that one chunk may hold at most, so that no chunk grows without end. */
const MAX_SKIPPED = 10_000;

/** A run of members in mpid order, closed by the output's limits. */
export interface Chunk {
  firstMpid: string;
  lastMpid: string;
  /** To be sent. Whoever keeps it keeps the rows of the whole page that they stand in. */
  members: MemberList;
  /** mpids of those that have none of the accepted identities. */
  skipped: string[];
}

/** A chunk that may still grow. */
interface OpenChunk {
  size: number;
  bytes: number;
  skipped: string[];
  runs: MemberRun[];
  /** The member to be sent who comes first, and who comes last. */
  first: string;
  last: string;
}

/**
 * Cuts pages of members (see `domain/members`) into chunks within the limits. A chunk is closed as soon as it is
 * full, so where chunks end depends only on where the first one began: after a crash, reading on from a chunk's end
 * gives the same chunks again, and with them the same batch ids.
 */
export class MemberChunker {
  #open = newChunk();
  /** Members to send of the present page that are not among the runs yet. */
  #run: { start: MemberPosition; last: number } | undefined;
  readonly #values = new MemberValues();
  readonly #habit = new Habit();

  constructor(private readonly limits: OutputLimits) {}

  /** The chunks that the members of `rows` complete, each made when it is asked for. */
  *push(rows: MemberRows): Generator<Chunk, void> {
    const cursor = new MemberCursor(rows);
    const { batchSize, batchBytes } = this.limits;
    while (cursor.next()) {
      if (!cursor.owns(cursor.identities)) this.#open.skipped.push(cursor.mpid);
      else {
        if (batchBytes !== undefined) {
          const start = cursor.position;
          const bytes = bytesOf(cursor, this.#values);
          if (this.#open.size > 0 && this.#open.bytes + bytes > batchBytes) yield this.#close(rows);
          this.#open.bytes += bytes;
          this.#run ??= { start, last: start.owner };
        }
        this.#open.size += 1;
        // Made once a run: of a million members it would be a million objects.
        this.#run ??= { start: cursor.position, last: cursor.owner };
        if (batchBytes === undefined) this.#open.size += cursor.nextOwning(batchSize - this.#open.size);
        this.#run.last = cursor.owner;
      }
      if (this.#open.size === batchSize || this.#open.skipped.length === MAX_SKIPPED) yield this.#close(rows);
    }
    this.#endRun(rows);
  }

  /** What is left when there are no more members. */
  flush(): Chunk[] {
    return this.#open.size > 0 || this.#open.skipped.length > 0 ? [this.#close()] : [];
  }

  /** Puts the run that ends here among those of the open chunk. */
  #endRun(rows: MemberRows): void {
    if (!this.#run) return;
    const { start, last } = this.#run;
    if (this.#open.runs.length === 0) this.#open.first = mpidAt(rows.owners, start.owner);
    this.#open.last = mpidAt(rows.owners, last);
    this.#open.runs.push({ rows, start, end: last + MPID_BYTES });
    this.#run = undefined;
  }

  #close(rows?: MemberRows): Chunk {
    if (rows) this.#endRun(rows);
    const { size, skipped, runs, first, last } = this.#open;
    this.#open = newChunk();
    const members = MemberList.ofRuns(runs, { size, firstMpid: first, lastMpid: last }, this.#habit);
    return { ...boundsOf(size > 0 ? [first, last] : [], skipped), members, skipped };
  }
}

function newChunk(): OpenChunk {
  return { size: 0, bytes: 0, skipped: [], runs: [], first: '', last: '' };
}

/** The least and the greatest of those who are sent and those who are skipped; both are ascending. */
function boundsOf(sent: readonly string[], skipped: readonly string[]) {
  if (skipped.length === 0) return { firstMpid: sent.at(0) ?? '', lastMpid: sent.at(-1) ?? '' };
  const ends = [sent, skipped]
    .flatMap((list) => [list.at(0), list.at(-1)])
    .filter((one) => one !== undefined);
  const ascending = ends.map(BigInt).sort((one, other) => (one < other ? -1 : 1));
  return { firstMpid: String(ascending.at(0) ?? ''), lastMpid: String(ascending.at(-1) ?? '') };
}
