import { Injectable } from '@nestjs/common';
import { and, eq, isNull, lt } from 'drizzle-orm';
import { HubError, notFound } from '../../domain/errors/index.js';
import { PluginRegistry } from '../../host/registry/index.js';
import { recordAudit } from '../../platform/audit/index.js';
import type { Clock } from '../../platform/clock/index.js';
import { SecretBox } from '../../platform/crypto/index.js';
import { deliveries, deliveryPlans, type Database, type Transaction } from '../../platform/database/index.js';
import { InjectClock, InjectDatabase, InjectWorkQueue } from '../../platform/nest/index.js';
import type { WorkQueue } from '../../platform/queue/index.js';
import { changeStatus, ConnectionsService, refuseWhileRemoving } from '../connections/index.js';
import { lockConnection } from '../deliveries/index.js';
import type { Principal } from '../tenancy/index.js';
import { basisOf, differences, readSubject, type PlanSubject } from './plan-basis.js';
import { PlanFiguresService } from './plan-figures.service.js';
import { readPlannedAgain } from './planned-again.js';

export type DeliveryPlan = typeof deliveryPlans.$inferSelect;

const DAY_MS = 86_400_000;

/** Looks at what a connection would send before it does. */
@Injectable()
export class PlansService {
  constructor(
    @InjectDatabase() private readonly db: Database,
    @InjectWorkQueue() private readonly queue: WorkQueue,
    @InjectClock() private readonly clock: Clock,
    private readonly registry: PluginRegistry,
    private readonly secretBox: SecretBox,
    private readonly connections: ConnectionsService,
    private readonly figures: PlanFiguresService,
  ) {}

  /** Counts, and sends nothing. The counts are of the state that is remembered with them. */
  async make(principal: Principal, connectionId: string): Promise<DeliveryPlan> {
    refuseWhileRemoving(await this.connections.get(principal, connectionId));
    const subject = await readSubject(this.db, connectionId);
    if (!subject) throw notFound('connection', connectionId);
    const basis = await this.basisOf(this.db, subject);
    // What is under way ends first: the plan is of what comes after it.
    const fromVersion = basis.underWay?.toVersion ?? basis.deliveredVersion;
    const toVersion = Math.max(fromVersion, basis.audienceVersion);
    const { identities, again = null } = basis;
    const range = { from: fromVersion, to: toVersion, identities, again };
    const figures = await this.figures.count(subject, range);
    const { workspaceId } = subject.connection;
    const now = this.clock.now();
    const expiresAt = new Date(now.getTime() + DAY_MS);
    const row = {
      workspaceId,
      connectionId,
      fromVersion,
      toVersion,
      basis,
      figures,
      createdAt: now,
      expiresAt,
    };
    return this.db.transaction(async (tx) => {
      const old = lt(deliveryPlans.expiresAt, now);
      await tx.delete(deliveryPlans).where(and(eq(deliveryPlans.connectionId, connectionId), old));
      const [plan] = await tx.insert(deliveryPlans).values(row).returning();
      if (!plan) throw notFound('connection', connectionId);
      await note(tx, 'connection.plan', plan);
      return plan;
    });
  }

  /**
   * Activates the connection and makes the delivery that was planned, if nothing that it was made on has changed.
   *
   * @throws HubError NOT_FOUND, PLAN_STALE with what is another now, WRONG_STATE where it was applied or a fault is open
   */
  async apply(principal: Principal, connectionId: string, planId: string): Promise<DeliveryPlan> {
    refuseWhileRemoving(await this.connections.get(principal, connectionId));
    const { plan, next } = await this.db.transaction(async (tx) => {
      const connection = await lockConnection(tx, connectionId);
      const subject = connection && (await readSubject(tx, connectionId));
      if (!subject) throw notFound('connection', connectionId);
      const planned = await this.applicable(tx, subject, planId);
      const goesOn = await changeStatus(tx, subject.connection, 'active');
      const deliveryId = subject.open ? null : await makeDelivery(tx, planned);
      const [applied] = await tx
        .update(deliveryPlans)
        .set({ appliedAt: this.clock.now(), deliveryId })
        .where(and(eq(deliveryPlans.id, planId), isNull(deliveryPlans.appliedAt)))
        .returning();
      if (!applied) throw notFound('plan', planId);
      await note(tx, 'connection.plan.apply', applied);
      return { plan: applied, next: goesOn ?? deliveryId };
    });
    if (next !== null) await this.queue.enqueue({ kind: 'delivery', id: next });
    return plan;
  }

  /** The plan, where it may be applied; locked. */
  private async applicable(tx: Transaction, subject: PlanSubject, planId: string): Promise<DeliveryPlan> {
    const [plan] = await tx
      .select()
      .from(deliveryPlans)
      .where(and(eq(deliveryPlans.id, planId), eq(deliveryPlans.connectionId, subject.connection.id)))
      .for('update');
    if (!plan) throw notFound('plan', planId);
    if (plan.appliedAt !== null) {
      const when = plan.appliedAt.toISOString();
      throw new HubError(
        'WRONG_STATE',
        `Plan ${planId} was applied already, at ${when}. Nothing was changed.`,
      );
    }
    const changed = differences(plan.basis, await this.basisOf(tx, subject));
    if (plan.expiresAt <= this.clock.now()) {
      changed.push({ field: 'expiresAt', message: `was ${plan.expiresAt.toISOString()}` });
    }
    if (changed.length > 0) throw stale(planId, changed);
    return plan;
  }

  private async basisOf(db: Database | Transaction, subject: PlanSubject) {
    const { registry, secretBox } = this;
    const again = await readPlannedAgain(db, registry, subject, this.clock.now().getTime());
    return basisOf(subject, again, { registry, secretBox });
  }
}

/** Null where there is nothing to bring. */
async function makeDelivery(tx: Transaction, plan: DeliveryPlan): Promise<string | null> {
  const { workspaceId, connectionId, fromVersion, toVersion, basis, figures } = plan;
  const nobody = figures.operations.every(({ members }) => members === 0);
  if (toVersion <= fromVersion && nobody) return null;
  const { after: fromIdentities, upTo: toIdentities } = basis.identities;
  const sendsAgain = basis.again ?? null;
  const [made] = await tx
    .insert(deliveries)
    .values({ workspaceId, connectionId, fromVersion, toVersion, fromIdentities, toIdentities, sendsAgain })
    .onConflictDoNothing()
    .returning({ id: deliveries.id });
  if (made) return made.id;
  throw stale(plan.id, [{ field: 'delivery', message: 'was none under way, is one that has just begun' }]);
}

function stale(planId: string, changed: { field: string; message: string }[]): HubError {
  const what = changed.map(({ field, message }) => `${field}: ${message}`).join('; ');
  return new HubError(
    'PLAN_STALE',
    `Plan ${planId} does not hold any more (${what}). Make a new plan and look at it. Nothing was sent.`,
    changed,
  );
}

async function note(tx: Transaction, action: string, plan: DeliveryPlan): Promise<void> {
  const { id, workspaceId, connectionId, fromVersion, toVersion, deliveryId } = plan;
  await recordAudit(tx, {
    action,
    object: { type: 'connection', id: connectionId },
    workspaceId,
    changes: {
      planId: { to: id },
      version: { from: fromVersion, to: toVersion },
      deliveryId: { to: deliveryId },
    },
  });
}
