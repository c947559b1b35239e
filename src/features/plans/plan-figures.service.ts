import { Injectable } from '@nestjs/common';
import { and, desc, eq, isNotNull, sum } from 'drizzle-orm';
import { inTargetSql, targetOfVariant } from '../../domain/audiences/index.js';
import { HubError } from '../../domain/errors/index.js';
import { inSlicesSql } from '../../domain/heartbeats/index.js';
import { sharedAttributes } from '../../domain/identities/index.js';
import type { PartnerLine } from '../../host/outputs/index.js';
import { identitiesOf, isConnectorError, type IdentityForm } from '../../kit/index.js';
import {
  connections,
  deliveries,
  deliveryBatches,
  type Database,
  type PlanFigures,
  type Operation,
  type PlannedOperation,
  type SendsAgain,
} from '../../platform/database/index.js';
import { InjectDatabase, InjectWarehouse } from '../../platform/nest/index.js';
import type { Warehouse } from '../../platform/warehouse/index.js';
import { leavingOf, PartnerLines, SharedLists, thereAfter } from '../deliveries/index.js';
import { codesOf, formsThatMeet, Ledger, type LearnedOf, type Selection } from '../ledger/index.js';
import { estimatedSeconds, otherCalls, plannedOperation, type KeptFigures } from './estimate.js';
import type { PlanSubject } from './plan-basis.js';

/** What a delivery is to bring: versions, changes of identities of members who stay, and who of them is sent anyway. */
export interface PlannedRange {
  from: number;
  to: number;
  identities: { after: number; upTo: number };
  again: SendsAgain | null;
}

const OPERATION_OF = {
  members: 'replace',
  add: 'add',
  remove: 'remove',
  learned: 'add_identities',
  again: 'add_again',
  reached: 'remove',
  shared: 'remove',
} as const satisfies Record<Selection['what'], Operation>;

/** Counts what a delivery would come to. The engine counts; nobody is read. */
@Injectable()
export class PlanFiguresService {
  private readonly ledger: Ledger;

  constructor(
    @InjectDatabase() private readonly db: Database,
    @InjectWarehouse() warehouse: Warehouse,
    private readonly lines: PartnerLines,
    private readonly lists: SharedLists,
  ) {
    this.ledger = new Ledger(warehouse);
  }

  /** @throws HubError WRONG_STATE where the output cannot be used as it is configured */
  async count(subject: PlanSubject, range: PlannedRange): Promise<PlanFigures> {
    const line = await this.open(subject);
    const { connector, limits } = line;
    const context = line.context(new AbortController().signal);
    const replacing = Boolean(connector.audience.replace?.wanted(context));
    const forms = identitiesOf(connector, context.settings);
    const attributes = sharedAttributes(subject.connection.attributes).map((one) => one.key);
    const key = { audienceId: subject.audience.id, workspace: subject.workspace };
    const target = inTargetSql(targetOfVariant(subject.variant), 'mpid');
    const operations: PlannedOperation[] = [];
    const selections = selectionsOf(range, replacing, { codes: codesOf(forms), attributes });
    for (const selection of selections) {
      const condition = selection.what === 'again' ? `${target}${inTurnSql(range.again)}` : target;
      const counts = await this.ledger.sendCounts(key, selection, forms, condition);
      const kept = counts.members > 0 ? await this.keptOf(subject, line, selection, forms) : undefined;
      const operation = OPERATION_OF[selection.what];
      operations.push(plannedOperation(operation, counts, { audience: connector.audience, limits, kept }));
    }
    const isMade = subject.connection.externalId !== null || subject.open !== null;
    const others = selections.length > 0 ? otherCalls(connector.audience, isMade, replacing) : 0;
    const requests = operations.reduce((sum, operation) => sum + operation.requests, others);
    const pace = await this.secondsPerBatch(subject.output.id);
    return { operations, requests, estimatedSeconds: estimatedSeconds(requests, limits.rateLimit, pace) };
  }

  /** Of those who leave, who will stay at the partner as things are; undefined: nobody leaves. */
  private async keptOf(
    subject: PlanSubject,
    line: PartnerLine,
    selection: Selection,
    forms: readonly IdentityForm[],
  ): Promise<KeptFigures | undefined> {
    if (selection.what !== 'remove' || !line.connector.audience.remove) return undefined;
    const sharers = await this.lists.sharersOf(subject);
    const kept = sharers.flatMap(({ members }) => (members.versions.length > 0 ? [members] : []));
    const leaving = leavingOf(subject, line, { leavers: selection, version: selection.to, kept });
    const { key, condition } = leaving;
    const inLists =
      kept.length === 0
        ? undefined
        : await this.ledger.sendCounts(key, { ...selection, what: 'shared', kept }, forms, condition);
    if (formsThatMeet(leaving.forms).length === 0) return { inLists, byValues: 0 };
    const there = thereAfter(leaving);
    const known = await this.ledger.countWhollyShared({ ...leaving, there });
    // Whom another connection has, it has with all of their values.
    return { inLists, byValues: Math.max(0, known - (inLists ? inLists.members - inLists.bare : 0)) };
  }

  private async open({ connection, output }: PlanSubject): Promise<PartnerLine> {
    try {
      return await this.lines.open({ connection, output });
    } catch (error) {
      if (!isConnectorError(error)) throw error;
      const reason = `(${error.code}): ${error.message}`;
      throw new HubError('WRONG_STATE', `Output ${output.id} cannot be used as it is configured ${reason}`);
    }
  }

  /** Of the last delivery to the output that had batches; undefined where there was none. */
  private async secondsPerBatch(outputId: string): Promise<number | undefined> {
    const [last] = await this.db
      .select({
        startedAt: deliveries.startedAt,
        finishedAt: deliveries.finishedAt,
        batches: sum(deliveryBatches.batches).mapWith(Number),
      })
      .from(deliveries)
      .innerJoin(connections, eq(connections.id, deliveries.connectionId))
      .innerJoin(deliveryBatches, eq(deliveryBatches.deliveryId, deliveries.id))
      .where(
        and(
          eq(connections.outputId, outputId),
          eq(deliveries.state, 'delivered'),
          isNotNull(deliveries.startedAt),
        ),
      )
      .groupBy(deliveries.id)
      .orderBy(desc(deliveries.finishedAt))
      .limit(1);
    if (!last?.startedAt || !last.finishedAt) return undefined;
    return Math.max(0, last.finishedAt.getTime() - last.startedAt.getTime()) / 1000 / last.batches;
  }
}

/** None where the partner has the version already, and nobody is to be sent again. */
function selectionsOf(
  { from, to, identities, again }: PlannedRange,
  replacing: boolean,
  of: LearnedOf,
): Selection[] {
  const mayHaveLearned = from > 0 && identities.upTo > identities.after;
  if (to <= from && !mayHaveLearned && again === null) return [];
  if (replacing) return [{ what: 'members', version: to }];
  // Whoever is sent again has with it what they learned; of a slice, others have learned too.
  const sendsLearned = mayHaveLearned && again?.backfill === undefined;
  return [
    { what: 'add', from, to },
    { what: 'remove', from, to },
    ...(sendsLearned ? [{ what: 'learned', from, to, identities, of } as const] : []),
    ...(again ? [{ what: 'again', since: again.heartbeat?.since ?? from, from, to } as const] : []),
  ];
}

/** Further condition on who is sent again: the slices whose turn it is. */
function inTurnSql(again: SendsAgain | null): string {
  const { slots } = again?.heartbeat ?? {};
  return slots ? ` AND ${inSlicesSql(Object.keys(slots).map(Number))}` : '';
}
