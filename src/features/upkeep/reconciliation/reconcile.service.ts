import { Injectable, type OnModuleInit } from '@nestjs/common';
import { and, asc, eq, gt, inArray, isNull, lt, or } from 'drizzle-orm';
import { HubError } from '../../../domain/errors/index.js';
import { PluginRegistry } from '../../../host/registry/index.js';
import { recordAudit } from '../../../platform/audit/index.js';
import type { Clock } from '../../../platform/clock/index.js';
import {
  audiences,
  connections,
  connectionUpkeep,
  outputs,
  type Database,
  type Transaction,
} from '../../../platform/database/index.js';
import type { Logger } from '../../../platform/log/index.js';
import { InjectClock, InjectDatabase, InjectLogger } from '../../../platform/nest/index.js';
import { ConnectionsService, type ConnectionView } from '../../connections/index.js';
import { askForBackfill, DeliveryPlanner, lockWithDelivery } from '../../deliveries/index.js';
import { ScheduleService } from '../../schedule/index.js';
import type { Principal } from '../../tenancy/index.js';
import type { Finding } from './difference-mail.js';
import type { Reconcile } from './reconcile.dto.js';
import { Reconciler } from './reconciler.js';

const DAY_MS = 86_400_000;

/** Partners that are asked at once. */
const AT_ONCE = 4;

/** How long somebody who asks waits for a partner. */
const PATIENCE_MS = 90_000;

/** Reconciles connections when somebody asks, and all of them once a day. */
@Injectable()
export class ReconcileService implements OnModuleInit {
  private readonly log: Logger;

  constructor(
    @InjectDatabase() private readonly db: Database,
    @InjectClock() private readonly clock: Clock,
    @InjectLogger() log: Logger,
    private readonly registry: PluginRegistry,
    private readonly schedule: ScheduleService,
    private readonly connections: ConnectionsService,
    private readonly planner: DeliveryPlanner,
    private readonly reconciler: Reconciler,
  ) {
    this.log = log.child({ context: 'reconciliation' });
  }

  onModuleInit(): void {
    this.schedule.register('reconcile', DAY_MS, (signal) => this.reconcileAll(signal));
  }

  async reconcile(principal: Principal, id: string, { backfill }: Reconcile): Promise<ConnectionView> {
    refuseRemoved(await this.connections.get(principal, id));
    const result = await this.reconciler.reconcile(id, {
      tells: false,
      signal: AbortSignal.timeout(PATIENCE_MS),
    });
    const { workspaceId } = await this.connections.get(principal, id);
    await this.db.transaction(async (tx) => {
      // Somebody whom the partner lost amidst a first delivery may have been sent before that.
      if (backfill === true) await askForBackfill(tx, id, (await lockWithDelivery(tx, id)).open);
      await note(tx, { id, workspaceId }, result, backfill === true);
    });
    if (backfill === true) await this.planner.wakeConnection(id);
    return this.connections.get(principal, id);
  }

  /** Those whose partners tell and that were not looked at today. Cut short anywhere, the next run does the others. */
  async reconcileAll(signal: AbortSignal): Promise<void> {
    const ids = await this.due();
    const next = ids.values();
    const one = async () => {
      for (const id of next) {
        if (signal.aborted) return;
        await this.reconcileOne(id, signal);
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, one));
  }

  /** One that fails does not keep the others from their turn. */
  private async reconcileOne(connectionId: string, signal: AbortSignal): Promise<void> {
    const patience = AbortSignal.any([signal, AbortSignal.timeout(PATIENCE_MS)]);
    try {
      const result = await this.reconciler.reconcile(connectionId, { tells: true, signal: patience });
      if (!result?.problem) return;
      const { verdict, problem } = result;
      this.log.warn(
        { connectionId, verdict, code: problem.code },
        'the counts do not agree, or were not told',
      );
    } catch (err) {
      if (!signal.aborted) this.log.warn({ connectionId, err }, 'a connection could not be reconciled');
    }
  }

  private async due(): Promise<string[]> {
    const telling = this.registry
      .all()
      .flatMap((plugin) => (plugin.kind === 'output' && plugin.audience.count ? [plugin.id] : []));
    if (telling.length === 0) return [];
    const today = new Date(Math.floor(this.clock.now().getTime() / DAY_MS) * DAY_MS);
    const rows = await this.db
      .select({ id: connections.id })
      .from(connections)
      .innerJoin(outputs, eq(outputs.id, connections.outputId))
      .innerJoin(audiences, eq(audiences.id, connections.audienceId))
      .leftJoin(connectionUpkeep, eq(connectionUpkeep.connectionId, connections.id))
      .where(
        and(
          eq(connections.status, 'active'),
          gt(connections.deliveredVersion, 0),
          isNull(audiences.deletedAt),
          inArray(outputs.plugin, telling),
          or(isNull(connectionUpkeep.reconciledAt), lt(connectionUpkeep.reconciledAt, today)),
        ),
      )
      .orderBy(asc(connections.id));
    return rows.map(({ id }) => id);
  }
}

function refuseRemoved({ id, status }: ConnectionView): void {
  if (status !== 'removing' && status !== 'removed') return;
  throw new HubError('WRONG_STATE', `Connection ${id} is deleted (${status}). There is nothing to compare.`);
}

async function note(
  tx: Transaction,
  { id, workspaceId }: { id: string; workspaceId: string },
  result: Finding | undefined,
  backfill: boolean,
): Promise<void> {
  const { verdict, hub, partner, problem } = result ?? {};
  await recordAudit(tx, {
    action: 'connection.reconcile',
    object: { type: 'connection', id },
    workspaceId,
    changes: { result: { to: { verdict, hub, partner, code: problem?.code } }, backfill: { to: backfill } },
  });
}
