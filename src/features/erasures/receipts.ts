import { and, asc, eq, gte, inArray, isNull, lt, ne, sql } from 'drizzle-orm';
import { inTargetSql, targetOfVariant } from '../../domain/audiences/index.js';
import type { Clock } from '../../platform/clock/index.js';
import {
  abVariants,
  audiences,
  connections,
  deliveries,
  deliveryBatches,
  erasureReceipts,
  faults,
  OPEN_DELIVERY_STATES,
  outputs,
  type Database,
  type ReceiptState,
} from '../../platform/database/index.js';
import type { Warehouse } from '../../platform/warehouse/index.js';
import { changesSql, IN_ORDER, membersSql, reachedSql, type MpidCondition } from '../ledger/index.js';
import { leavingSql, type ErasureKey } from './erasure-people.js';
import type { TouchedAudience } from './leave-audiences.js';
import {
  CANNOT_REMOVE,
  INACTIVE,
  OUTCOMES_FORGOTTEN,
  PENDING,
  reasonOf,
  REMOVING,
} from './receipt-reasons.js';

type Receipt = typeof erasureReceipts.$inferSelect;
type Delivery = typeof deliveries.$inferSelect;
type Connection = typeof connections.$inferSelect;
type Settled = Partial<Receipt> & { state: ReceiptState };

/** Rows of outcomes that are looked up at once. */
const LOOKED_UP = 1000;
/** Batches whose outcomes are in memory together. */
const BATCHES = 20;

/** What connections did about an erasure: one receipt each, which waits until its delivery is through. */
export class Receipts {
  constructor(
    private readonly db: Database,
    private readonly warehouse: Warehouse,
    private readonly clock: Clock,
  ) {}

  /** Notes every connection of the audiences; one whose audience had somebody leave again waits anew. */
  async list({ id: erasureId }: ErasureKey, touched: readonly TouchedAudience[]): Promise<void> {
    for (const { id: audienceId, lastChange: version } of touched) {
      const connected = await this.db
        .select({ connectionId: connections.id, outputName: outputs.name, plugin: outputs.plugin })
        .from(connections)
        .innerJoin(outputs, eq(outputs.id, connections.outputId))
        .where(and(eq(connections.audienceId, audienceId), ne(connections.status, 'removed')));
      if (connected.length === 0) continue;
      await this.db
        .insert(erasureReceipts)
        .values(connected.map((connection) => ({ erasureId, audienceId, version, ...connection })))
        .onConflictDoUpdate({
          target: [erasureReceipts.erasureId, erasureReceipts.connectionId],
          set: { version, state: 'waiting', settledAt: null },
          setWhere: and(lt(erasureReceipts.version, version), ne(erasureReceipts.state, 'waived')),
        });
    }
  }

  /** Looks at those that wait. Returns how many still do. */
  async settle(key: ErasureKey): Promise<number> {
    const waiting = await this.db
      .select()
      .from(erasureReceipts)
      .where(and(eq(erasureReceipts.erasureId, key.id), eq(erasureReceipts.state, 'waiting')));
    let left = 0;
    for (const receipt of waiting) {
      const found = await this.look(key, receipt);
      const settledAt = found.state === 'waiting' ? null : this.clock.now();
      if (found.state === 'waiting') left += 1;
      // An admin may have waived it meanwhile.
      await this.db
        .update(erasureReceipts)
        .set({ ...found, settledAt })
        .where(and(eq(erasureReceipts.id, receipt.id), eq(erasureReceipts.state, 'waiting')));
    }
    return left;
  }

  private async look(key: ErasureKey, receipt: Receipt): Promise<Settled> {
    const { connectionId, audienceId, version } = receipt;
    const [found] = await this.db
      .select({ connection: connections, deletedAt: audiences.deletedAt, variant: abVariants })
      .from(connections)
      .innerJoin(audiences, eq(audiences.id, connections.audienceId))
      .leftJoin(abVariants, eq(abVariants.id, connections.variantId))
      .where(eq(connections.id, connectionId));
    if (found === undefined) return GONE;
    const { connection, variant } = found;
    const theirs = `mpid IN (${leavingSql(key)}) AND ${inTargetSql(targetOfVariant(variant), 'mpid')}`;
    if (connection.status === 'removing')
      return { state: 'waiting', reason: await this.whyWaiting(connection) };
    if (connection.status === 'removed') return this.answerOfRemoval(receipt, connection, theirs);
    if (found.deletedAt !== null) return GONE;
    if (connection.deliveredVersion >= version) return this.answer(receipt, theirs);
    if (await this.neverHadThem(connection, { audienceId, version }, theirs)) return NOT_SENT;
    return { state: 'waiting', reason: await this.whyWaiting(connection) };
  }

  /** What the delivery came to that brought the connection to the version; `theirs`: a condition on mpids. */
  private async answer(
    { connectionId, audienceId, version }: Receipt,
    theirs: MpidCondition,
  ): Promise<Settled> {
    const [delivery] = await this.db
      .select()
      .from(deliveries)
      .where(
        and(
          eq(deliveries.connectionId, connectionId),
          eq(deliveries.kind, 'changes'),
          eq(deliveries.state, 'delivered'),
          lt(deliveries.fromVersion, version),
          gte(deliveries.toVersion, version),
        ),
      )
      .orderBy(asc(deliveries.toVersion), asc(deliveries.createdAt))
      .limit(1);
    if (delivery === undefined) return NOT_SENT;
    const range = { from: delivery.fromVersion, to: delivery.toVersion };
    return this.answerOf(delivery, changesSql(audienceId, range, 'remove', theirs));
  }

  /** What the removal came to with which the connection ended. */
  private async answerOfRemoval(
    receipt: Receipt,
    connection: Connection,
    theirs: MpidCondition,
  ): Promise<Settled> {
    const { id, audienceId, removal, deliveredVersion } = connection;
    const [delivery] = await this.db
      .select()
      .from(deliveries)
      .where(
        and(
          eq(deliveries.connectionId, id),
          eq(deliveries.kind, 'removal'),
          eq(deliveries.state, 'delivered'),
        ),
      );
    const versions = delivery ? [delivery.fromVersion, delivery.toVersion] : [deliveredVersion];
    const reached = reachedSql(audienceId, versions, theirs);
    if ((await this.count(reached)) === 0) {
      if (deliveredVersion >= receipt.version) return this.answer(receipt, theirs);
      return delivery ? NOT_SENT : GONE;
    }
    if (delivery === undefined) return GONE;
    if (removal?.plan?.members === 'stay') return { ...GONE, reason: CANNOT_REMOVE };
    return this.answerOf(delivery, reached);
  }

  /** `removed`: `SELECT mpid` of theirs whom the delivery took out. */
  private async answerOf(delivery: Delivery, removed: string): Promise<Settled> {
    const sent = await this.count(removed);
    if (sent === 0) return NOT_SENT;
    const told = { deliveryId: delivery.id, deliveredAt: delivery.finishedAt, sent };
    if (delivery.outcomesForgottenAt !== null) {
      return { state: 'answered', reason: OUTCOMES_FORGOTTEN, ...told };
    }
    const { rejected, unsupported, notSent, ...stays } = await this.exceptions(delivery, removed);
    return {
      state: notSent === sent && stays.shared + stays.sameValues === 0 ? 'not_sent' : 'answered',
      reason: reasonOf({ rejected, unsupported, ...stays }),
      ...told,
      accepted: sent - rejected - unsupported - notSent,
      rejected,
      unsupported,
      notSent,
    };
  }

  /** Who of `removed` (`SELECT mpid`) the partner did not take out, by why. */
  private async exceptions({ id }: Delivery, removed: string) {
    const counts = { rejected: 0, unsupported: 0, shared: 0, sameValues: 0, notSent: 0 };
    for (let position = 0; ;) {
      const batches = await this.db
        .select()
        .from(deliveryBatches)
        .where(
          and(
            eq(deliveryBatches.deliveryId, id),
            eq(deliveryBatches.operation, 'remove'),
            sql`${deliveryBatches.position} > ${position}`,
            sql`jsonb_array_length(${deliveryBatches.exceptions}) > 0`,
          ),
        )
        .orderBy(asc(deliveryBatches.position))
        .limit(BATCHES);
      const all = batches.flatMap(({ exceptions }) => exceptions);
      for (const batch of batches) counts.rejected += await this.perhapsRefused(batch, removed);
      for (let at = 0; at < all.length; at += LOOKED_UP) {
        const some = all.slice(at, at + LOOKED_UP);
        const found = await this.among(
          removed,
          some.flatMap(({ mpid }) => mpid ?? []),
        );
        for (const { mpid, status, code } of some) {
          if (mpid === null || !found.has(mpid)) continue;
          if (status === 'rejected') counts.rejected += 1;
          else if (code === 'REMOVE_UNSUPPORTED') counts.unsupported += 1;
          else counts.notSent += 1;
          if (code === 'SHARED_LIST') counts.shared += 1;
          if (code === 'SHARED_IDENTITY') counts.sameValues += 1;
        }
      }
      if (batches.length < BATCHES) return counts;
      position = batches.at(-1)?.position ?? position;
    }
  }

  /** Of `removed`, at most: partners do not always say whom of a batch they refused, and then it may have been them. */
  private async perhapsRefused(batch: typeof deliveryBatches.$inferSelect, removed: string): Promise<number> {
    const { exceptions, firstMpid, lastMpid } = batch;
    const unnamed = exceptions.reduce((sum, { mpid, count = 1 }) => (mpid === null ? sum + count : sum), 0);
    if (unnamed === 0) return 0;
    const named = await this.among(
      removed,
      exceptions.flatMap(({ mpid }) => mpid ?? []),
    );
    const theirs = await this.count(
      `SELECT mpid FROM (${removed}) WHERE mpid BETWEEN toInt64('${firstMpid}') AND toInt64('${lastMpid}')`,
    );
    return Math.min(unnamed, theirs - named.size);
  }

  private async among(removed: string, mpids: readonly string[]): Promise<Set<string>> {
    // What was pseudonymised by an earlier erasure is nobody's number.
    const numbers = mpids.filter((mpid) => /^-?\d+$/.test(mpid)).map((mpid) => `toInt64('${BigInt(mpid)}')`);
    if (numbers.length === 0) return new Set();
    const rows = await this.warehouse.query<{ m: string }>(
      `SELECT toString(mpid) AS m FROM (${removed}) WHERE mpid IN (${numbers.join(', ')})`,
      { settings: IN_ORDER },
    );
    return new Set(rows.map(({ m }) => m));
  }

  /** True where the partner has none of them, and no delivery under way could have brought them. */
  private async neverHadThem(
    connection: Connection,
    { audienceId, version }: Pick<Receipt, 'audienceId' | 'version'>,
    theirs: MpidCondition,
  ): Promise<boolean> {
    const open = await this.db.$count(
      deliveries,
      and(
        eq(deliveries.connectionId, connection.id),
        inArray(deliveries.state, OPEN_DELIVERY_STATES),
        lt(deliveries.toVersion, version),
      ),
    );
    if (open > 0) return false;
    const { deliveredVersion } = connection;
    if (deliveredVersion === 0) return true;
    return (await this.count(membersSql(audienceId, deliveredVersion, theirs))) === 0;
  }

  private async whyWaiting({ id, status }: Connection): Promise<{ code: string; message: string }> {
    if (status === 'inactive') return INACTIVE;
    if (status === 'active') return PENDING;
    const removing = status === 'removing';
    const [fault] = await this.db
      .select({ id: faults.id, code: faults.code })
      .from(faults)
      .where(and(eq(faults.connectionId, id), isNull(faults.resolvedAt), ne(faults.kind, 'permanent')))
      .limit(1);
    if (removing && fault === undefined) return REMOVING;
    const named = fault === undefined ? '' : ` ${fault.id} (${fault.code})`;
    return {
      code: 'CONNECTION_FAULTED',
      message: `The connection is stopped by fault${named}. Mend its cause and resume it, or waive the receipt.`,
    };
  }

  private async count(select: string): Promise<number> {
    const [row] = await this.warehouse.query<{ n: string }>(`SELECT count() AS n FROM (${select})`, {
      lane: 'bulk',
      settings: IN_ORDER,
    });
    return Number(row?.n ?? 0);
  }
}

const NOT_SENT: Settled = {
  state: 'not_sent',
  reason: {
    code: 'NOT_AT_PARTNER',
    message: 'The partner had none of them when it began: they were never sent, or were taken out before.',
  },
};
const GONE: Settled = {
  state: 'gone',
  reason: {
    code: 'CONNECTION_DELETED',
    message:
      'The connection was given up, or went with its output. What the partner still has is settled with the partner.',
  },
};
