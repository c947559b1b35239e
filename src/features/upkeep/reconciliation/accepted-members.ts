import { Injectable } from '@nestjs/common';
import { and, eq, gte, inArray, isNotNull, sql, type SQL } from 'drizzle-orm';
import { inTargetSql, targetOfVariant } from '../../../domain/audiences/index.js';
import type { Counting, IdentityForm } from '../../../kit/index.js';
import {
  deliveries,
  deliveryBatches,
  OPEN_DELIVERY_STATES,
  rowsOf,
  type Database,
} from '../../../platform/database/index.js';
import { InjectDatabase, InjectWarehouse } from '../../../platform/nest/index.js';
import type { Warehouse } from '../../../platform/warehouse/index.js';
import { Ledger } from '../../ledger/index.js';
import type { UpkeepSubject } from '../upkeep-subject.js';

/** Members whom the partner refused, that the engine looks at together. */
const REFUSED_AT_ONCE = 5000;

/** What is no number stands for somebody who was erased, and is nobody's. */
const NUMBER = '^-?[0-9]+$';

/** What the hub counts as accepted at a partner. */
export interface AcceptedCount {
  accepted: number;
  /** What is not in `accepted` because the partner refused it when it was sent last. */
  refused: number;
}

/** Counts who of a connection's delivered version the partner took. The engine counts; nobody is read. */
@Injectable()
export class AcceptedMembers {
  private readonly ledger: Ledger;

  constructor(
    @InjectDatabase() private readonly db: Database,
    @InjectWarehouse() warehouse: Warehouse,
  ) {
    this.ledger = new Ledger(warehouse);
  }

  async count(
    { connection, audience, variant, workspace }: UpkeepSubject,
    forms: readonly IdentityForm[],
    counted: Counting['of'] = 'members',
  ): Promise<AcceptedCount> {
    const key = { audienceId: audience.id, workspace };
    const selection = { what: 'members', version: connection.deliveredVersion } as const;
    const of = counted === 'identities' ? 'identities' : 'members';
    const target = inTargetSql(targetOfVariant(variant), 'mpid');
    const sendable = await this.ledger.countSendable(key, selection, { forms, of, condition: target });
    let refused = await this.refusedUnnamed(connection.id);
    for await (const mpids of this.refused(connection.id)) {
      const condition = `${target} AND mpid IN (${mpids.join(', ')})`;
      refused += await this.ledger.countSendable(key, selection, { forms, of, condition });
    }
    return { accepted: Math.max(0, sendable - refused), refused };
  }

  /**
   * Members that were added or removed so shortly before that the partner's count may not show it: since `since`, and by
   * the delivery that is under way.
   */
  async settling({ connection, audience }: UpkeepSubject, since: Date): Promise<number> {
    const own = eq(deliveries.connectionId, connection.id);
    const [ended] = await this.db
      .select({ members: sql<string | null>`sum(${deliveries.accepted})` })
      .from(deliveries)
      .where(and(own, eq(deliveries.state, 'delivered'), gte(deliveries.finishedAt, since)));
    const [open] = await this.db
      .select({ planned: deliveries.planned })
      .from(deliveries)
      .where(and(own, inArray(deliveries.state, OPEN_DELIVERY_STATES), isNotNull(deliveries.touchedAt)));
    // What is not counted yet is at most everybody.
    const underWay = open === undefined ? 0 : (open.planned ?? audience.size);
    return Number(ended?.members ?? 0) + underWay;
  }

  /**
   * Pages of everybody whose newest outcome is a refusal, since everybody was sent last. Outcomes that were let go of
   * for their age are not seen; whoever is no member any more is left out by the engine.
   */
  private async *refused(connectionId: string): AsyncGenerator<string[]> {
    let after = '';
    for (;;) {
      const found = await this.db.execute(sql`
        select mpid from (
          select distinct on (one.mpid) one.mpid, one.status ${exceptionsSinceAllWereSent(connectionId)}
            and one.mpid ~ ${NUMBER} and ${after === '' ? sql`true` : sql`one.mpid > ${after}`}
          order by one.mpid, ${deliveries.createdAt} desc
        ) as newest
        where status = 'rejected' order by newest.mpid limit ${REFUSED_AT_ONCE}`);
      const mpids = rowsOf<{ mpid: string }>(found).map(({ mpid }) => mpid);
      if (mpids.length > 0) yield mpids;
      if (mpids.length < REFUSED_AT_ONCE) return;
      after = mpids.at(-1) ?? '';
    }
  }

  /** How many the partner refused without saying whom. */
  private async refusedUnnamed(connectionId: string): Promise<number> {
    const found = await this.db.execute(sql`
      select coalesce(sum(one.count), 0)::int as members ${exceptionsSinceAllWereSent(connectionId)}
        and one.mpid is null and one.status = 'rejected'`);
    return rowsOf<{ members: number }>(found)[0]?.members ?? 0;
  }
}

/** `from … where …` of the outcomes of members who were added, since everybody was sent last. */
function exceptionsSinceAllWereSent(connectionId: string): SQL {
  const whole = sql`(${deliveries.fromVersion} = 0 or ${deliveries.cursor}->>'operation' = 'replace'
    or ${deliveries.sendsAgain}->'backfill' is not null)`;
  const lastWhole = sql`coalesce((select max(${deliveries.createdAt}) from ${deliveries}
    where ${deliveries.connectionId} = ${connectionId} and ${deliveries.state} = 'delivered' and ${whole}), '-infinity')`;
  return sql`from ${deliveryBatches} join ${deliveries} on ${deliveries.id} = ${deliveryBatches.deliveryId}
    cross join lateral jsonb_to_recordset(${deliveryBatches.exceptions})
      as one(mpid text, status text, count integer)
    where ${deliveries.connectionId} = ${connectionId} and ${deliveries.createdAt} >= ${lastWhole}
      and ${deliveryBatches.operation} <> 'remove'`;
}
