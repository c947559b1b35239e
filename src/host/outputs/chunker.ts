import type { OutputLimits, OutputMember } from '../../kit/index.js';

/** Members without an accepted identity that one chunk may hold at most, so that no chunk grows without end. */
const MAX_SKIPPED = 10_000;

/** A run of members in mpid order, closed by the output's limits. */
export interface Chunk {
  firstMpid: string;
  lastMpid: string;
  /** To be sent. */
  members: OutputMember[];
  /** mpids of those that have none of the accepted identities. */
  skipped: string[];
}

/**
 * Cuts members into chunks within the limits. A chunk is closed as soon as it is full, so where chunks end
 * depends only on where the first one began: after a crash, reading on from a chunk's end gives the same
 * chunks again, and with them the same batch ids.
 */
export class MemberChunker {
  #open: Chunk | undefined;
  #bytes = 0;

  constructor(private readonly limits: OutputLimits) {}

  /** The chunks that `members` complete. */
  push(members: readonly OutputMember[]): Chunk[] {
    const closed: Chunk[] = [];
    for (const member of members) this.#take(member, closed);
    return closed;
  }

  /** What is left when there are no more members. */
  flush(): Chunk[] {
    const rest = this.#open;
    this.#open = undefined;
    this.#bytes = 0;
    return rest ? [rest] : [];
  }

  #take(member: OutputMember, closed: Chunk[]): void {
    const sendable = hasIdentity(member);
    if (sendable && this.limits.batchBytes !== undefined)
      this.#makeRoom(member, this.limits.batchBytes, closed);
    const chunk = (this.#open ??= this.#begin(member.mpid));
    chunk.lastMpid = member.mpid;
    if (sendable) chunk.members.push(member);
    else chunk.skipped.push(member.mpid);
    if (chunk.members.length === this.limits.batchSize || chunk.skipped.length === MAX_SKIPPED) {
      closed.push(...this.flush());
    }
  }

  /** Closes the open chunk where `member` would take it over the byte limit. */
  #makeRoom(member: OutputMember, batchBytes: number, closed: Chunk[]): void {
    const bytes = bytesOf(member);
    const holdsMembers = this.#open !== undefined && this.#open.members.length > 0;
    if (holdsMembers && this.#bytes + bytes > batchBytes) closed.push(...this.flush());
    this.#bytes += bytes;
  }

  #begin(mpid: string): Chunk {
    return { firstMpid: mpid, lastMpid: mpid, members: [], skipped: [] };
  }
}

function hasIdentity({ identities }: OutputMember): boolean {
  for (const type in identities) if (Object.hasOwn(identities, type)) return true;
  return false;
}

function bytesOf({ identities }: OutputMember): number {
  let bytes = 0;
  for (const values of Object.values(identities)) {
    for (const value of values ?? []) bytes += Buffer.byteLength(value);
  }
  return bytes;
}
