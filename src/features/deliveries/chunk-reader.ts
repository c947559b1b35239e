import type { AudienceTarget } from '../../domain/audiences/index.js';
import { inTargetSql } from '../../domain/audiences/index.js';
import { MemberChunker, type Chunk } from '../../host/outputs/index.js';
import type { IdentityForm, OutputLimits } from '../../kit/index.js';
import type { DeliveryCursor, Operation } from '../../platform/database/index.js';
import type { AudienceKey, Ledger, MemberPage, Selection } from '../ledger/index.js';

/** Members a query of the ledger. */
const PAGE_SIZE = 50_000;

/** One chunk to deal with, and where the delivery is when that is done. */
export interface Step {
  operation: Operation;
  chunk: Chunk;
  cursorAfter: DeliveryCursor;
  /** Of a `replace`: number of the part, where the chunk has somebody to write. */
  part: number;
}

/** What a delivery reads. */
export interface Reading {
  key: AudienceKey;
  target: AudienceTarget;
  fromVersion: number;
  toVersion: number;
  forms: readonly IdentityForm[];
  limits: OutputLimits;
}

/** Reads what a delivery has to send, in the order of its cursor. */
export class ChunkReader {
  constructor(
    private readonly ledger: Ledger,
    private readonly reading: Reading,
  ) {}

  /** Members of everything that a delivery with these operations sends. */
  async count(operations: readonly Operation[]): Promise<number> {
    let planned = 0;
    for (const operation of operations) {
      planned += await this.ledger.count(this.reading.key, this.selection(operation), this.condition());
    }
    return planned;
  }

  /** Steps from `cursor` on to the end. */
  async *steps(cursor: DeliveryCursor): AsyncGenerator<Step> {
    yield* this.stepsOf(cursor.operation, cursor.afterMpid, cursor.parts ?? 0);
    if (cursor.operation === 'add') yield* this.stepsOf('remove', null, 0);
  }

  private async *stepsOf(
    operation: Operation,
    afterMpid: string | null,
    firstPart: number,
  ): AsyncGenerator<Step> {
    let part = firstPart;
    const step = (chunk: Chunk): Step => {
      const own = part;
      if (operation === 'replace' && chunk.members.length > 0) part += 1;
      const parts = operation === 'replace' ? { parts: part } : {};
      return {
        operation,
        chunk,
        part: own,
        cursorAfter: { operation, afterMpid: chunk.lastMpid, ...parts },
      };
    };
    const chunker = new MemberChunker(this.reading.limits);
    for await (const page of this.pages(operation, afterMpid)) {
      for (const chunk of chunker.push(page.members)) yield step(chunk);
    }
    for (const chunk of chunker.flush()) yield step(chunk);
  }

  /** Pages in order; while one is being sent the next one is being read. */
  private async *pages(operation: Operation, afterMpid: string | null): AsyncGenerator<MemberPage> {
    let coming: Promise<MemberPage> | undefined = this.page(operation, afterMpid);
    while (coming) {
      const page: MemberPage = await coming;
      coming = page.next === null ? undefined : this.page(operation, page.next);
      // Whoever stops reading early never asks for it; its failure is then nobody's.
      coming?.catch(() => undefined);
      yield page;
    }
  }

  private page(operation: Operation, after: string | null): Promise<MemberPage> {
    const { key, forms } = this.reading;
    const condition = this.condition();
    const request = { after, limit: PAGE_SIZE, forms, condition, sparse: true };
    return this.ledger.page(key, this.selection(operation), request);
  }

  private selection(operation: Operation): Selection {
    const { fromVersion: from, toVersion: to } = this.reading;
    return operation === 'replace' ? { what: 'members', version: to } : { what: operation, from, to };
  }

  private condition(): string {
    return inTargetSql(this.reading.target, 'mpid');
  }
}
