import { Injectable } from '@nestjs/common';
import { and, eq, isNull, type SQL } from 'drizzle-orm';
import { HubError, notFound } from '../../domain/errors/index.js';
import { partnerAudienceName } from '../../domain/names/index.js';
import { parseConnectionSettings, PluginRegistry } from '../../host/registry/index.js';
import type { OutputConnector } from '../../kit/index.js';
import type { Clock } from '../../platform/clock/index.js';
import {
  audiences,
  connections,
  isUniqueViolation,
  outputs,
  type Database,
} from '../../platform/database/index.js';
import type { Logger } from '../../platform/log/index.js';
import { InjectClock, InjectDatabase, InjectLogger, InjectWorkQueue } from '../../platform/nest/index.js';
import type { WorkQueue } from '../../platform/queue/index.js';
import { DeliveryPlanner } from '../deliveries/index.js';
import { readPage, type Page, type PageQuery } from '../http/index.js';
import { scopedTo, type Principal } from '../tenancy/index.js';
import { changeStatus, lockConnection } from './connection-status.js';
import { ConnectionViews } from './connection-views.js';
import type {
  BulkConnect,
  BulkConnectView,
  ConnectionView,
  CreateConnection,
  FailedConnectionView,
  UpdateConnection,
} from './connections.dto.js';

type Audience = typeof audiences.$inferSelect;
type Output = typeof outputs.$inferSelect;

/** Audiences connected to outputs. */
@Injectable()
export class ConnectionsService {
  constructor(
    @InjectDatabase() private readonly db: Database,
    @InjectWorkQueue() private readonly queue: WorkQueue,
    @InjectClock() private readonly clock: Clock,
    @InjectLogger() private readonly log: Logger,
    private readonly registry: PluginRegistry,
    private readonly planner: DeliveryPlanner,
    private readonly views: ConnectionViews,
  ) {}

  /** Connects, and begins to send where `status` is active. */
  async create(principal: Principal, audienceId: number, given: CreateConnection): Promise<ConnectionView> {
    const audience = await this.audience(principal, audienceId);
    const output = await this.output(principal, given.outputId);
    return this.connect(principal, audience, output, given);
  }

  /** Connects many audiences to one output. What fails for one audience does not concern the others. */
  async createMany(principal: Principal, given: BulkConnect): Promise<BulkConnectView> {
    const { audienceIds, ...wanted } = given;
    const output = await this.output(principal, given.outputId);
    parseConnectionSettings(this.registry.output(output.plugin), given.settings ?? {});
    const result: BulkConnectView = { connected: [], failed: [] };
    for (const audienceId of audienceIds) {
      try {
        const audience = await this.audience(principal, audienceId);
        result.connected.push(await this.connect(principal, audience, output, wanted));
      } catch (error) {
        result.failed.push(this.reasonOf(audienceId, error));
      }
    }
    return result;
  }

  async list(principal: Principal, audienceId: number, query: PageQuery): Promise<Page<ConnectionView>> {
    await this.audience(principal, audienceId);
    const where = and(eq(connections.audienceId, audienceId), scopedTo(principal, connections.workspaceId));
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
    const { plugin } = await this.get(principal, id);
    if (given.settings) parseConnectionSettings(this.registry.output(plugin), given.settings);
    const goesOn = await this.db.transaction(async (tx) => {
      const connection = await lockConnection(tx, id);
      if (!connection) throw notFound('connection', id);
      await tx
        .update(connections)
        .set({ settings: given.settings ?? connection.settings, updatedAt: this.clock.now() })
        .where(eq(connections.id, id));
      return given.status === undefined ? undefined : changeStatus(tx, connection, given.status);
    });
    if (goesOn !== undefined) await this.queue.enqueue({ kind: 'delivery', id: goesOn });
    if (given.status === 'active') await this.planner.wakeConnection(id);
    return this.get(principal, id);
  }

  /** Ends its deliveries with it. What the partner has stays there. */
  async delete(principal: Principal, id: string): Promise<void> {
    await this.get(principal, id);
    await this.db.transaction(async (tx) => {
      await lockConnection(tx, id);
      await tx.delete(connections).where(eq(connections.id, id));
    });
  }

  private async connect(
    principal: Principal,
    audience: Audience,
    output: Output,
    given: CreateConnection,
  ): Promise<ConnectionView> {
    requireSameWorkspace(audience, output);
    requireNoVariant(given.variantId);
    const plugin = this.registry.output(output.plugin);
    const settings = given.settings ?? {};
    parseConnectionSettings(plugin, settings);
    requireUsableName(plugin, partnerAudienceName(audience));
    const now = this.clock.now();
    const [row] = await this.db
      .insert(connections)
      .values({
        workspaceId: audience.workspaceId,
        audienceId: audience.id,
        outputId: output.id,
        settings,
        status: given.status,
        createdAt: now,
        updatedAt: now,
      })
      .returning({ id: connections.id })
      .catch((error: unknown) => {
        throw isUniqueViolation(error) ? alreadyConnected(audience, output) : error;
      });
    if (!row) throw notFound('output', output.id);
    if (given.status === 'active') await this.planner.wakeConnection(row.id);
    return this.get(principal, row.id);
  }

  private async audience(principal: Principal, id: number): Promise<Audience> {
    const [audience] = await this.db
      .select()
      .from(audiences)
      .where(
        and(eq(audiences.id, id), isNull(audiences.deletedAt), scopedTo(principal, audiences.workspaceId)),
      );
    if (!audience) throw notFound('audience', id);
    return audience;
  }

  private async output(principal: Principal, id: string): Promise<Output> {
    const [output] = await this.db
      .select()
      .from(outputs)
      .where(and(eq(outputs.id, id), scopedTo(principal, outputs.workspaceId)));
    if (!output) throw notFound('output', id);
    return output;
  }

  private reasonOf(audienceId: number, error: unknown): FailedConnectionView {
    if (error instanceof HubError) return { audienceId, code: error.code, message: error.message };
    this.log.error({ err: error, audienceId }, 'an audience was not connected');
    return { audienceId, code: 'INTERNAL', message: 'The hub failed; its log has the reason. Try again.' };
  }
}

function one(principal: Principal, id: string): SQL | undefined {
  return and(
    eq(connections.id, id),
    isNull(audiences.deletedAt),
    scopedTo(principal, connections.workspaceId),
  );
}

function requireSameWorkspace(audience: Audience, output: Output): void {
  if (audience.workspaceId === output.workspaceId) return;
  throw new HubError('VALIDATION_FAILED', 'The output belongs to another workspace than the audience.', [
    { field: 'outputId', message: `must be an output of workspace ${audience.workspaceId}` },
  ]);
}

function requireNoVariant(variantId: string | null | undefined): void {
  if (variantId === null || variantId === undefined) return;
  throw new HubError(
    'VARIANT_UNKNOWN',
    `The audience has no variant ${variantId}. Leave variantId out to connect the full audience.`,
    [{ field: 'variantId', message: 'must be a variant of the audience, or absent' }],
  );
}

/** Found before the partner finds it. */
function requireUsableName({ id, naming }: OutputConnector, name: string): void {
  if (!naming) return;
  const problems = [
    ...(Array.from(name).length > naming.maxLength ? [`has more than ${naming.maxLength} characters`] : []),
    ...(naming.forbidden !== undefined && new RegExp(naming.forbidden, 'u').test(name)
      ? [`holds a character that is refused (${naming.forbidden})`]
      : []),
  ];
  if (problems.length === 0) return;
  throw new HubError(
    'NAME_REFUSED',
    `Partners of plugin ${id} would refuse the audience's name: it ${problems.join(' and ')}. ` +
      'Give the audience another external name.',
    problems.map((message) => ({ field: 'externalName', message })),
  );
}

function alreadyConnected(audience: Audience, output: Output): HubError {
  return new HubError(
    'ALREADY_EXISTS',
    `Audience ${audience.id} is connected to output ${output.id} already. Change that connection.`,
  );
}
