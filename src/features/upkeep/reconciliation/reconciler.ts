import { Injectable } from '@nestjs/common';
import { sql } from 'drizzle-orm';
import { judgeCount } from '../../../domain/reconciliation/index.js';
import { DEFAULT_CALL_PACING, PartnerCalls, type PartnerLine } from '../../../host/outputs/index.js';
import { identitiesOf, isConnectorError, LIST_GONE, type ConnectorError } from '../../../kit/index.js';
import type { Clock } from '../../../platform/clock/index.js';
import {
  connections,
  connectionUpkeep,
  type Database,
  type Reconciliation,
} from '../../../platform/database/index.js';
import type { Logger } from '../../../platform/log/index.js';
import { InjectClock, InjectDatabase, InjectLogger } from '../../../platform/nest/index.js';
import { PartnerLines } from '../../deliveries/index.js';
import { partnerNameOf, readUpkeepSubject, type UpkeepSubject } from '../upkeep-subject.js';
import { AcceptedMembers } from './accepted-members.js';
import { GoneLists } from './gone-lists.js';
import { COUNT_CHANGING, COUNT_TOO_SLOW, COUNT_UNSUPPORTED, differs, NOTHING_DELIVERED } from './problems.js';

const CALL_TIMEOUT_MS = 60_000;

/** How often both sides are counted anew because something was delivered meanwhile. */
const MAX_TRIES = 3;

type Problem = NonNullable<Reconciliation['problem']>;

/** Compares what partners say they have with what the hub counts as accepted there. */
@Injectable()
export class Reconciler {
  private readonly log: Logger;

  constructor(
    @InjectDatabase() private readonly db: Database,
    @InjectClock() private readonly clock: Clock,
    @InjectLogger() log: Logger,
    private readonly lines: PartnerLines,
    private readonly members: AcceptedMembers,
    private readonly goneLists: GoneLists,
  ) {
    this.log = log.child({ context: 'reconciliation' });
  }

  /** Counts, and writes down what came of it. Undefined where the connection is gone. */
  async reconcile(connectionId: string, signal: AbortSignal): Promise<Reconciliation | undefined> {
    for (let tries = 1; ; tries += 1) {
      const before = await readUpkeepSubject(this.db, connectionId);
      if (!before) return undefined;
      const result = await this.compare(before, signal);
      const after = await readUpkeepSubject(this.db, connectionId);
      if (!after) return undefined;
      const still = isSame(before, after);
      if (!still && tries < MAX_TRIES) continue;
      const meant = still ? result : uncounted(before, undefined, COUNT_CHANGING);
      await this.write(connectionId, meant);
      return meant;
    }
  }

  private async compare(subject: UpkeepSubject, signal: AbortSignal): Promise<Reconciliation> {
    let line: PartnerLine | undefined;
    try {
      line = await this.lines.open(subject);
      return await this.countBoth(subject, line, signal);
    } catch (error) {
      if (isTimeout(signal)) return uncounted(subject, line, COUNT_TOO_SLOW);
      if (signal.aborted || !isConnectorError(error)) throw error;
      if (error.code === LIST_GONE) await this.goneLists.stop(subject, error);
      const { code, message } = error;
      return uncounted(subject, line, { code, message });
    }
  }

  /** @throws ConnectorError of the partner */
  private async countBoth(
    subject: UpkeepSubject,
    line: PartnerLine,
    signal: AbortSignal,
  ): Promise<Reconciliation> {
    const { connection } = subject;
    const { audience: partnerCalls, counting = {} } = line.connector;
    if (!partnerCalls.count) return uncounted(subject, line, COUNT_UNSUPPORTED);
    const isMade = connection.externalId !== null || !partnerCalls.create;
    if (connection.deliveredVersion === 0 || !isMade) return uncounted(subject, line, NOTHING_DELIVERED);
    const name = partnerNameOf(subject);
    const audience = { externalId: connection.externalId ?? name, name };
    const pacing = { ...DEFAULT_CALL_PACING, callTimeoutMs: CALL_TIMEOUT_MS };
    const calls = new PartnerCalls(line, signal, this.log, pacing);
    const { lagMs = 0, of = 'members' } = counting;
    const since = new Date(this.clock.now().getTime() - lagMs);
    const partner = await calls.call(async (ctx) => partnerCalls.count?.(ctx, audience));
    if (partner === undefined) return uncounted(subject, line, COUNT_UNSUPPORTED);
    const settling = await this.members.settling(subject, since);
    const forms = identitiesOf(line.connector, line.context(signal).settings);
    const { accepted: hub, refused: unsure } = await this.members.count(subject, forms, of);
    const judged = judgeCount({ hub, partner, settling, unsure }, counting);
    const { verdict, tolerance } = judged;
    const problem = verdict === 'agrees' ? null : differs(connection.id, of, { hub, partner, ...judged });
    return {
      verdict,
      of,
      version: connection.deliveredVersion,
      hub,
      partner,
      tolerance,
      settling,
      lagMs,
      problem,
    };
  }

  /** Nothing where the connection was deleted meanwhile. */
  private async write(connectionId: string, result: Reconciliation): Promise<void> {
    const now = this.clock.now().toISOString();
    const value = sql`${JSON.stringify(result)}::text::jsonb`;
    await this.db.execute(sql`
      insert into ${connectionUpkeep} (connection_id, workspace_id, reconciled_at, reconciliation)
      select ${connections.id}, ${connections.workspaceId}, ${now}::timestamptz, ${value}
      from ${connections} where ${connections.id} = ${connectionId}
      on conflict (connection_id) do update
        set reconciled_at = excluded.reconciled_at, reconciliation = excluded.reconciliation`);
  }
}

function isTimeout({ aborted, reason }: AbortSignal): boolean {
  return aborted && reason instanceof Error && reason.name === 'TimeoutError';
}

function isSame({ connection: one }: UpkeepSubject, { connection: other }: UpkeepSubject): boolean {
  return (
    one.deliveredVersion === other.deliveredVersion &&
    one.externalId === other.externalId &&
    one.relinks === other.relinks
  );
}

function uncounted(
  { connection }: UpkeepSubject,
  line: PartnerLine | undefined,
  problem: Problem | Pick<ConnectorError, 'code' | 'message'>,
): Reconciliation {
  const { of = 'members', lagMs = 0 } = line?.connector.counting ?? {};
  const counts = { hub: null, partner: null, tolerance: null, settling: 0 };
  const { code, message } = problem;
  return {
    verdict: 'uncounted',
    of,
    version: connection.deliveredVersion,
    ...counts,
    lagMs,
    problem: { code, message },
  };
}
