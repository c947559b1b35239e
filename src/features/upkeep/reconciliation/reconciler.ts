import { Injectable } from '@nestjs/common';
import { eq, sql } from 'drizzle-orm';
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
import { DifferenceMail, type Finding } from './difference-mail.js';
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
    private readonly mail: DifferenceMail,
  ) {
    this.log = log.child({ context: 'reconciliation' });
  }

  /**
   * Counts, and writes down what came of it. Undefined where the connection is gone.
   *
   * @param tells whether admins get mail of a difference
   */
  async reconcile(
    connectionId: string,
    { tells, signal }: { tells: boolean; signal: AbortSignal },
  ): Promise<Finding | undefined> {
    for (let tries = 1; ; tries += 1) {
      const before = await readUpkeepSubject(this.db, connectionId);
      if (!before) return undefined;
      const result = await this.compare(before, signal);
      const after = await readUpkeepSubject(this.db, connectionId);
      if (!after) return undefined;
      const still = isSame(before, after);
      if (!still && tries < MAX_TRIES) continue;
      const meant = still ? result : uncounted(before, undefined, COUNT_CHANGING);
      await this.write(after, meant, tells);
      return meant;
    }
  }

  private async compare(subject: UpkeepSubject, signal: AbortSignal): Promise<Finding> {
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
  private async countBoth(subject: UpkeepSubject, line: PartnerLine, signal: AbortSignal): Promise<Finding> {
    const { connection } = subject;
    const { audience: partnerCalls, counting = {} } = line.connector;
    if (!partnerCalls.count) return uncounted(subject, line, COUNT_UNSUPPORTED);
    const isMade = connection.externalId !== null || !partnerCalls.create;
    if (connection.deliveredVersion === 0 || !isMade) return uncounted(subject, line, NOTHING_DELIVERED);
    const name = partnerNameOf(subject);
    const audience = { externalId: connection.externalId ?? name, name };
    const pacing = { ...DEFAULT_CALL_PACING, callTimeoutMs: CALL_TIMEOUT_MS };
    const calls = new PartnerCalls(line, signal, this.log, { pacing });
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
  private async write(subject: UpkeepSubject, finding: Finding, tells: boolean): Promise<void> {
    const { id } = subject.connection;
    const isTold = await this.db.transaction(async (tx) => {
      await tx.execute(sql`
        insert into ${connectionUpkeep} (connection_id, workspace_id)
        select ${connections.id}, ${connections.workspaceId} from ${connections} where ${connections.id} = ${id}
        on conflict (connection_id) do nothing`);
      const which = eq(connectionUpkeep.connectionId, id);
      const [before] = await tx.select().from(connectionUpkeep).where(which).for('update');
      if (!before) return false;
      const known = before.reconciliation?.told ?? null;
      const told = await this.mail.tell(tx, subject, finding, { known, tells });
      const reconciliation: Reconciliation = { ...finding, told };
      await tx.update(connectionUpkeep).set({ reconciledAt: this.clock.now(), reconciliation }).where(which);
      return told !== null && told !== known;
    });
    if (isTold) await this.mail.send();
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
): Finding {
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
