import { MEMBER_OPEN, mpidAt } from '../../domain/members/index.js';
import type { Batch, OutputMember } from '../../kit/index.js';

const [OPENING, CLOSING] = [Buffer.from('['), Buffer.from(']')];

/**
 * Members of a batch, as the text that the engine wrote or as objects; either is made of the other when somebody asks
 * for it. Most batches are sent and forgotten as that text, which is copied once: into the body of a request.
 */
export class MemberList {
  #members: readonly OutputMember[] | undefined;
  #pieces: readonly Buffer[] | undefined;

  private constructor(
    readonly size: number,
    members: readonly OutputMember[] | undefined,
    pieces: readonly Buffer[] | undefined,
  ) {
    this.#members = members;
    this.#pieces = pieces;
  }

  static of(members: readonly OutputMember[]): MemberList {
    return new MemberList(members.length, members, undefined);
  }

  /**
   * @param pieces JSON of `size` members, each with its mpid first, and what separates them. They are parts of a
   * page's text, which is there until the batch is settled.
   */
  static ofPieces(pieces: readonly Buffer[], size: number): MemberList {
    return new MemberList(size, undefined, pieces);
  }

  get members(): readonly OutputMember[] {
    this.#members ??= JSON.parse(this.json().toString('utf8')) as OutputMember[];
    return this.#members;
  }

  /** The JSON array of the members between two texts, as a buffer of its own. */
  json(front = '', back = ''): Buffer {
    this.#pieces ??= [Buffer.from(JSON.stringify(this.#members).slice(1, -1))];
    if (this.size > 0 && this.#pieces[0]?.length === 0)
      throw new Error(
        'The members of a batch that is settled are asked for; a connector went on after its answer.',
      );
    return Buffer.concat([Buffer.from(front), OPENING, ...this.#pieces, CLOSING, Buffer.from(back)]);
  }

  /** '' where there is nobody. */
  get firstMpid(): string {
    if (this.#members) return this.#members[0]?.mpid ?? '';
    const first = this.#pieces?.[0];
    return first ? mpidAt(first, 0) : '';
  }

  get lastMpid(): string {
    if (this.#members) return this.#members.at(-1)?.mpid ?? '';
    for (const piece of this.#pieces?.toReversed() ?? []) {
      // Inside a value this could not stand: its quotation marks would be escaped.
      const last = piece.lastIndexOf(MEMBER_OPEN);
      if (last !== -1) return mpidAt(piece, last);
    }
    return '';
  }

  /** Those from `start` up to `end`, which is not among them. */
  slice(start: number, end?: number): MemberList {
    return MemberList.of(this.members.slice(start, end));
  }
}

/** The members as connectors get them. */
export function asBatch(list: MemberList, rest: Pick<Batch, 'id' | 'fromVersion' | 'toVersion'>): Batch {
  return {
    ...rest,
    size: list.size,
    get members() {
      return list.members;
    },
    membersJson: (front, back) => list.json(front, back),
  };
}
