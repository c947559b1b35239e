import { Injectable } from '@nestjs/common';
import { and, eq, inArray, isNull, ne, or, type SQL } from 'drizzle-orm';
import { HubError, notFound } from '../../domain/errors/index.js';
import { parseConnectionSettings, PluginRegistry, requireExpiry } from '../../host/registry/index.js';
import { changesOf, recordAudit } from '../../platform/audit/index.js';
import type { Clock } from '../../platform/clock/index.js';
import {
  audiences,
  connections,
  isUniqueViolation,
  outputs,
  type Database,
  type Transaction,
} from '../../platform/database/index.js';
import { InjectClock, InjectDatabase, InjectWorkQueue } from '../../platform/nest/index.js';
import type { WorkQueue } from '../../platform/queue/index.js';
import { DeliveryPlanner, lockWithDelivery } from '../deliveries/index.js';
import { readPage, type Page, type PageQuery } from '../http/index.js';
import { scopedTo, type Principal } from '../tenancy/index.js';
import { Variants } from '../variants/index.js';
import {
  alreadyConnected,
  chosenAttributes,
  partnerName,
  requireSameWorkspace,
  stillRemoving,
  usableName,
  type Audience,
  type Output,
} from './connection-checks.js';
import { changeStatus, refuseWhileRemoving } from './connection-status.js';
import { ConnectionViews } from './connection-views.js';
import type {
  ConnectionsQuery,
  ConnectionView,
  CreateConnection,
  UpdateConnection,
} from './connections.dto.js';
import { sendLaterAttributes } from './later-attributes.js';
import { ConnectionRemovals } from './removal/connection-removals.js';

/** Audiences connected to outputs. */
@Injectable()
export class ConnectionsService {
  constructor(
    @InjectDatabase() private readonly db: Database,
    @InjectWorkQueue() private readonly queue: WorkQueue,
    @InjectClock() private readonly clock: Clock,
    private readonly registry: PluginRegistry,
    private readonly planner: DeliveryPlanner,
    private readonly views: ConnectionViews,
    private readonly variants: Variants,
    private readonly removals: ConnectionRemovals,
  ) {}

  /** Connects, and begins to send where `status` is active. */
  async create(principal: Principal, audienceId: number, given: CreateConnection): Promise<ConnectionView> {
    const audience = await this.audience(principal, audienceId);
    const output = await this.output(principal, given.outputId);
    return this.connect(principal, audience, output, given);
  }

  async list(principal: Principal, audienceId: number, query: PageQuery): Promise<Page<ConnectionView>> {
    await this.audience(principal, audienceId);
    return this.page(
      and(eq(connections.audienceId, audienceId), scopedTo(principal, connections.workspaceId)),
      query,
    );
  }

  /** Those of all audiences; what is being removed also where the audience was deleted. */
  async listAll(principal: Principal, query: ConnectionsQuery): Promise<Page<ConnectionView>> {
    return this.page(
      and(
        scopedTo(principal, connections.workspaceId),
        query.workspaceId ? eq(connections.workspaceId, query.workspaceId) : undefined,
        query.outputId ? eq(connections.outputId, query.outputId) : undefined,
        query.status ? eq(connections.status, query.status) : undefined,
      ),
      query,
    );
  }

  /** Those that were removed are listed only where they are asked for. */
  private page(
    chosen: SQL | undefined,
    query: PageQuery & Pick<ConnectionsQuery, 'status'>,
  ): Promise<Page<ConnectionView>> {
    const where = and(chosen, query.status === 'removed' ? undefined : ne(connections.status, 'removed'));
    return readPage(query, this.db.$count(connections, where), (limit, offset) =>
      this.views.read(where, limit, offset),
    );
  }

  /** The connection, or NOT_FOUND where it does not exist or `principal` may not see it. */
  async get(principal: Principal, id: string): Promise<ConnectionView> {
    const [view] = await this.views.read(one(principal, id), 1);
    if (!view) throw notFound('connection', id);
    return view;
  }

  async update(principal: Principal, id: string, given: UpdateConnection): Promise<ConnectionView> {
    const { plugin: pluginId, outputId, audienceId, variantName } = await this.get(principal, id);
    const plugin = this.registry.output(pluginId);
    const output = await this.output(principal, outputId);
    if (given.settings) {
      parseConnectionSettings(plugin, given.settings);
      requireExpiry(plugin, output.settings, given.settings);
      const audience = await this.audience(principal, audienceId);
      usableName(plugin, output, given.settings, partnerName(audience, variantName));
    }
    const chosen = given.attributes && chosenAttributes(plugin, output, given.attributes);
    const { goesOn, again } = await this.db.transaction(async (tx) => {
      const { connection, open } = await lockWithDelivery(tx, id);
      if (!connection) throw notFound('connection', id);
      refuseWhileRemoving(connection);
      await tx
        .update(connections)
        .set({
          settings: given.settings ?? connection.settings,
          attributes: chosen ?? connection.attributes,
          updatedAt: this.clock.now(),
        })
        .where(eq(connections.id, id));
      const { settings = connection.settings, status = connection.status } = given;
      const attributes = chosen ?? connection.attributes;
      await note(tx, 'update', connection, { ...connection, settings, attributes, status });
      return {
        again: await sendLaterAttributes(tx, { connection, open }, attributes),
        goesOn: given.status && (await changeStatus(tx, connection, given.status)),
      };
    });
    if (goesOn !== undefined) await this.queue.enqueue({ kind: 'delivery', id: goesOn });
    if (again || given.status === 'active') await this.planner.wakeConnection(id);
    return this.get(principal, id);
  }

  /**
   * Nothing more is sent, and what was sent is removed at the partner; the answer says what becomes of it. `force`, for
   * admins: that is given up, or not begun. Called again, it answers the same.
   */
  async delete(principal: Principal, id: string, force: boolean): Promise<ConnectionView> {
    if (force) requireAdmin(principal, id);
    const view = await this.get(principal, id);
    const [foreseen] = await this.removals.foresee(one(principal, id), principal.name);
    const begun = await this.db.transaction(async (tx) => {
      const unsent = foreseen?.removal.members === 'none' && foreseen.removal.list === 'none';
      if (force && !unsent) {
        await this.removals.giveUp(tx, id, principal.name);
        return undefined;
      }
      return this.removals.begin(tx, eq(connections.id, id), foreseen ? [foreseen] : [], principal.name);
    });
    if (begun) await this.removals.wake(begun);
    const [after] = await this.views.read(one(principal, id), 1);
    if (after) return after;
    // Nothing had been sent, so nothing of it is kept.
    view.status = 'removed';
    view.removal = begun?.going[0]?.removal ?? null;
    return view;
  }

  /** The same for an audience and an output that were looked up before. */
  async connect(
    principal: Principal,
    audience: Audience,
    output: Output,
    given: CreateConnection,
  ): Promise<ConnectionView> {
    requireSameWorkspace(audience, output);
    const variantId = given.variantId ?? null;
    const variant = variantId === null ? null : await this.variants.require(audience.id, variantId);
    const plugin = this.registry.output(output.plugin);
    const settings = given.settings ?? {};
    parseConnectionSettings(plugin, settings);
    requireExpiry(plugin, output.settings, settings);
    const attributes = chosenAttributes(plugin, output, given.attributes ?? []);
    usableName(plugin, output, settings, partnerName(audience, variant?.name));
    const now = this.clock.now();
    const { workspaceId, id: audienceId } = audience;
    const row = await this.db
      .transaction(async (tx) => {
        // Its test is not deleted meanwhile.
        if (variant) await this.variants.lock(tx, audienceId, variant.id);
        const [made] = await tx
          .insert(connections)
          .values({
            workspaceId,
            audienceId,
            outputId: output.id,
            variantId,
            settings,
            attributes,
            status: given.status,
            createdAt: now,
            updatedAt: now,
          })
          .returning();
        if (!made) throw notFound('output', output.id);
        await note(tx, 'create', undefined, made);
        return made;
      })
      .catch(async (error: unknown) => {
        if (!isUniqueViolation(error)) throw error;
        const removing = await this.removingOf(audience, output, variantId);
        throw removing ? stillRemoving(removing) : alreadyConnected(audience, output, variant?.name);
      });
    if (given.status === 'active') await this.planner.wakeConnection(row.id);
    return this.get(principal, row.id);
  }

  private async removingOf(
    { id }: Audience,
    { id: outputId }: Output,
    variantId: string | null,
  ): Promise<string | undefined> {
    const [found] = await this.db
      .select({ id: connections.id })
      .from(connections)
      .where(
        and(
          eq(connections.audienceId, id),
          eq(connections.outputId, outputId),
          variantId === null ? isNull(connections.variantId) : eq(connections.variantId, variantId),
          eq(connections.status, 'removing'),
        ),
      );
    return found?.id;
  }

  /** The audience, or NOT_FOUND where it is not there or `principal` may not see it. */
  async audience(principal: Principal, id: number): Promise<Audience> {
    const [audience] = await this.db
      .select()
      .from(audiences)
      .where(
        and(eq(audiences.id, id), isNull(audiences.deletedAt), scopedTo(principal, audiences.workspaceId)),
      );
    if (!audience) throw notFound('audience', id);
    return audience;
  }

  /** The output, or NOT_FOUND where it does not exist or `principal` may not see it. */
  async output(principal: Principal, id: string): Promise<Output> {
    const [output] = await this.db
      .select()
      .from(outputs)
      .where(and(eq(outputs.id, id), scopedTo(principal, outputs.workspaceId)));
    if (!output) throw notFound('output', id);
    return output;
  }
}

type Connection = typeof connections.$inferSelect;

async function note(
  tx: Transaction,
  verb: 'create' | 'update',
  before: Connection | undefined,
  after: Connection | undefined,
): Promise<void> {
  const { id, workspaceId } = after ?? before ?? {};
  await recordAudit(tx, {
    action: `connection.${verb}`,
    object: { type: 'connection', id },
    workspaceId,
    changes: changesOf(before, after, {
      shown: ['audienceId', 'outputId', 'variantId', 'attributes', 'status'],
      named: ['settings'],
    }),
  });
}

function one(principal: Principal, id: string): SQL | undefined {
  return and(
    eq(connections.id, id),
    or(isNull(audiences.deletedAt), inArray(connections.status, ['removing', 'removed'])),
    scopedTo(principal, connections.workspaceId),
  );
}

function requireAdmin({ role, name }: Principal, id: string): void {
  if (role === 'admin') return;
  throw new HubError(
    'FORBIDDEN',
    `Only an admin may give up on removing what connection ${id} had sent; ${name} has the role ${role}.`,
  );
}
