import type { AudienceTarget } from '../../domain/audiences/index.js';
import { inTargetSql } from '../../domain/audiences/index.js';
import { inSlicesSql } from '../../domain/heartbeats/index.js';
import type { SharedAttribute } from '../../domain/identities/index.js';
import type { MemberRows } from '../../domain/members/index.js';
import { MemberChunker, type Chunk } from '../../host/outputs/index.js';
import type { IdentityForm, OutputLimits } from '../../kit/index.js';
import type { DeliveryCursor, Operation, SendsAgain } from '../../platform/database/index.js';
import { afterSql, type AudienceKey, type IdentityRange, type KeptMembers } from '../ledger/index.js';
import type { LearnedOf, Ledger, MemberPages, RowsPage, Selection } from '../ledger/index.js';
import type { PublishedChanges } from './published-changes.js';

/**
 * Rows of the ledger that a query reads: few at first, so that sending begins soon, then twice as many each time, which
 * are read while the last ones are sent. The rows of the largest page, and of the one after it, are in memory.
 */
const [FIRST_PAGE_SIZE, LARGEST_PAGE_SIZE] = [10_000, 160_000];

/**
 * Bytes of a page, about. Larger ones make the garbage collector come more often than what they save in queries.
 */
const PAGE_BYTES = 2 ** 24;

/** One chunk to deal with, and where the delivery is when that is done. */
export interface Step {
  operation: Operation;
  chunk: Chunk;
  /** Members that are not removed, and why. */
  kept?: readonly { mpid: string; because: 'SHARED_LIST' | 'SHARED_IDENTITY' }[];
  /** Stands for all that is not removed of the chunk, or for who is; absent: nothing is left out. */
  without?: string;
  cursorAfter: DeliveryCursor;
  /** Of a `replace`: number of the part, where the chunk has somebody to write. */
  part: number;
  /** Rows that nobody needs any more once this step and those before it are done: see {@link freeBuffer}. */
  spent: readonly Buffer[];
}

/** What a delivery reads. */
export interface Reading {
  key: AudienceKey;
  target: AudienceTarget;
  fromVersion: number;
  toVersion: number;
  /** What is known of the changes before they are read. */
  published?: PublishedChanges | undefined;
  /** Changes of identities and attributes that are sent for members who stay. */
  identities: IdentityRange;
  /** Members who stay are sent as they are; null: are not. */
  again: SendsAgain | null;
  /** Of a removal, which sends nothing else: at which versions members may have reached the partner, and who stays. */
  removal?: { versions: readonly number[]; kept: readonly KeptMembers[] };
  forms: readonly IdentityForm[];
  limits: OutputLimits;
  /** Attributes that go with the identities of members who are added, or sent again. */
  attributes: readonly SharedAttribute[];
  /** What members who stay are to have learned. Absent: none of them is sent. */
  learnedOf?: LearnedOf;
}

/** What goes out by changes, in this order. */
const CHANGES: readonly Operation[] = ['add', 'remove', 'add_identities', 'add_again'];

const NOTHING: LearnedOf = { codes: [], attributes: [] };

/** Those of them that are about members who stay. */
const OF_STAYERS = ['add_identities', 'add_again'] as const;

/** Rows of the ledger for the page after one of `size`. */
function sizeAfter(size: number, { owners, identities, attributes }: MemberRows): number {
  const bytesPerRow = (owners.length + identities.length + attributes.length) / size;
  const fitting = Math.max(FIRST_PAGE_SIZE, Math.floor(PAGE_BYTES / Math.max(1, bytesPerRow)));
  return Math.min(size * 2, LARGEST_PAGE_SIZE, fitting);
}

/** Where pages of members begin. */
type Start = Pick<DeliveryCursor, 'operation' | 'afterMpid'>;

/** Pages of which the first one is being read already. */
interface Begun extends Start {
  pages: MemberPages;
  first: Promise<RowsPage>;
}

/** Reads what a delivery has to send, in the order of its cursor. */
export class ChunkReader {
  #begun: Begun | undefined;

  constructor(
    private readonly ledger: Ledger,
    private readonly reading: Reading,
  ) {}

  /** Members of everything that a delivery with these operations sends. */
  async count(operations: readonly Operation[]): Promise<number> {
    const { key, fromVersion: from, toVersion: to, published } = this.reading;
    if (operations.includes('replace')) {
      const all = { what: 'members', version: to } as const;
      return published?.members ?? this.ledger.count(key, all, this.condition());
    }
    const { added, removed } =
      published?.changes ?? (await this.ledger.countChanges(key, { from, to }, this.condition()));
    let members = added + removed;
    for (const operation of OF_STAYERS.filter((one) => this.sends(one))) {
      members += await this.ledger.count(key, this.selection(operation), this.condition(operation));
    }
    return members;
  }

  /** Of a removal, members that are left behind `afterMpid`. */
  countRemovals(afterMpid: string | null): Promise<number> {
    const behind = `${this.condition()} AND ${afterSql(afterMpid)}`;
    return this.ledger.count(this.reading.key, this.selection('remove'), behind);
  }

  /** Begins to read what {@link steps} from a cursor on give first, for whoever has something else to ask before. */
  begin(start: Start): void {
    this.#begun = this.firstPage(start);
  }

  /** Steps from a cursor on to the end. */
  async *steps({ operation, afterMpid, parts = 0 }: DeliveryCursor): AsyncGenerator<Step> {
    const later = this.operationsAfter(operation);
    yield* this.stepsOf({ operation, afterMpid }, parts, later[0]);
    for (const [index, one] of later.entries())
      yield* this.stepsOf({ operation: one, afterMpid: null }, 0, later[index + 1]);
  }

  private operationsAfter(operation: Operation): Operation[] {
    if (operation === 'replace' || this.reading.removal) return [];
    return CHANGES.slice(CHANGES.indexOf(operation) + 1).filter((one) => this.sends(one));
  }

  /** What a cursor holds from the plan to the end. */
  private kept(): Pick<DeliveryCursor, 'learnedOf'> {
    const { learnedOf } = this.reading;
    return learnedOf === undefined ? {} : { learnedOf };
  }

  /** A connection's first delivery sends everybody as they are, and nobody has left; so does a backfill. */
  private sends(operation: Operation): boolean {
    const { fromVersion, identities, again } = this.reading;
    if (fromVersion === 0) return operation === 'add';
    if (operation === 'add_identities')
      return identities.upTo > identities.after && again?.backfill === undefined;
    return operation !== 'add_again' || again !== null;
  }

  private async *stepsOf(start: Start, firstPart: number, next?: Operation): AsyncGenerator<Step> {
    const { operation } = start;
    let part = firstPart;
    // Pages that were read to their end: what is unsent of them is in the chunk that is closed next.
    let read: Buffer[] = [];
    const step = (chunk: Chunk): Step => {
      const [own, spent] = [part, read];
      read = [];
      if (operation === 'replace' && chunk.members.size > 0) part += 1;
      const rest = operation === 'replace' ? { parts: part } : this.kept();
      return {
        operation,
        chunk,
        part: own,
        spent,
        cursorAfter: { operation, afterMpid: chunk.lastMpid, ...rest },
      };
    };
    const chunker = new MemberChunker(this.reading.limits);
    for await (const page of this.pages(start, next)) {
      for (const chunk of chunker.push(page.rows)) yield step(chunk);
      read.push(...page.spent);
    }
    for (const chunk of chunker.flush()) yield step(chunk);
  }

  /** Pages in order; while one is being sent the next one is being read, after the last one the first of `next`. */
  private async *pages(start: Start, next?: Operation): AsyncGenerator<RowsPage> {
    const { pages, first } = this.takeBegun(start) ?? this.firstPage(start);
    let size = FIRST_PAGE_SIZE;
    let coming: Promise<RowsPage> | undefined = first;
    while (coming) {
      const page: RowsPage = await coming;
      size = sizeAfter(size, page.rows);
      coming = page.next === null ? undefined : pages.page({ after: page.next, limit: size });
      // Whoever stops reading early never asks for it; its failure is then nobody's.
      coming?.catch(() => undefined);
      if (page.next === null && next) this.begin({ operation: next, afterMpid: null });
      yield page;
    }
  }

  private firstPage({ operation, afterMpid }: Start): Begun {
    const pages = this.pagesOf(operation);
    const first = pages.page({ after: afterMpid, limit: FIRST_PAGE_SIZE });
    // Begun ahead, it may never be asked for.
    first.catch(() => undefined);
    return { operation, afterMpid, pages, first };
  }

  private takeBegun({ operation, afterMpid }: Start): Begun | undefined {
    const begun = this.#begun;
    this.#begun = undefined;
    return begun?.operation === operation && begun.afterMpid === afterMpid ? begun : undefined;
  }

  private pagesOf(operation: Operation) {
    const { key, forms } = this.reading;
    const attributes = operation === 'remove' ? [] : this.reading.attributes;
    const request = { forms, attributes, condition: this.condition(operation) };
    return this.ledger.pages(key, this.selection(operation), request);
  }

  private selection(operation: Operation): Selection {
    const { fromVersion: from, toVersion: to, identities, removal, learnedOf = NOTHING } = this.reading;
    if (removal) return { what: 'reached', ...removal };
    if (operation === 'replace') return { what: 'members', version: to };
    if (operation === 'add_identities') return { what: 'learned', from, to, identities, of: learnedOf };
    if (operation === 'add_again') {
      return { what: 'again', since: this.reading.again?.heartbeat?.since ?? from, from, to };
    }
    return { what: operation, from, to };
  }

  private condition(operation?: Operation): string {
    const { target, again } = this.reading;
    const inTarget = inTargetSql(target, 'mpid');
    const slots = operation === 'add_again' ? again?.heartbeat?.slots : undefined;
    return slots ? `${inTarget} AND ${inSlicesSql(Object.keys(slots).map(Number))}` : inTarget;
  }
}
