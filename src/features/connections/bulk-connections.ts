import { isDeepStrictEqual } from 'node:util';
import { Injectable } from '@nestjs/common';
import { and, eq, inArray, isNull } from 'drizzle-orm';
import { HubError } from '../../domain/errors/index.js';
import { parseConnectionSettings, PluginRegistry } from '../../host/registry/index.js';
import { connections, LIVE_STATUSES, type Database } from '../../platform/database/index.js';
import type { Logger } from '../../platform/log/index.js';
import { InjectDatabase, InjectLogger } from '../../platform/nest/index.js';
import type { Principal } from '../tenancy/index.js';
import { Variants } from '../variants/index.js';
import { chosenAttributes, type Output } from './connection-checks.js';
import type { BulkConnect, BulkConnectView, ConnectionView, CreateConnection } from './connections.dto.js';
import { ConnectionsService } from './connections.service.js';

/** What is to be connected; `audienceId` null where a variant is nobody's. */
interface Target {
  audienceId: number | null;
  variantId: string | null;
}

/** Connects many audiences and variants to one output. What fails for one does not concern the others. */
@Injectable()
export class BulkConnections {
  private readonly log: Logger;

  constructor(
    @InjectDatabase() private readonly db: Database,
    @InjectLogger() log: Logger,
    private readonly registry: PluginRegistry,
    private readonly service: ConnectionsService,
    private readonly variants: Variants,
  ) {
    this.log = log.child({ context: 'connections' });
  }

  /**
   * One after the other, each a transaction of its own. A call may be repeated after it broke off: what it
   * connected already is among `connected` again, as it is now.
   */
  async connect(principal: Principal, given: BulkConnect): Promise<BulkConnectView> {
    const { audienceIds = [], variantIds = [], ...wanted } = given;
    if (audienceIds.length + variantIds.length === 0) throw nothingChosen();
    const output = await this.service.output(principal, given.outputId);
    const plugin = this.registry.output(output.plugin);
    parseConnectionSettings(plugin, given.settings ?? {});
    const attributes = chosenAttributes(plugin, output, given.attributes ?? []);
    const result: BulkConnectView = { connected: [], failed: [] };
    for (const target of await this.targetsOf(audienceIds, variantIds)) {
      try {
        result.connected.push(await this.connectOne(principal, output, target, { ...wanted, attributes }));
      } catch (error) {
        result.failed.push({ ...target, ...this.reasonOf(target, error) });
      }
    }
    return result;
  }

  private async targetsOf(audienceIds: readonly number[], variantIds: readonly string[]): Promise<Target[]> {
    const owners = await this.variants.audiencesOf(variantIds);
    return [
      ...audienceIds.map((audienceId) => ({ audienceId, variantId: null })),
      ...variantIds.map((variantId) => ({ audienceId: owners.get(variantId) ?? null, variantId })),
    ];
  }

  private async connectOne(
    principal: Principal,
    output: Output,
    { audienceId, variantId }: Target,
    wanted: Omit<CreateConnection, 'variantId'>,
  ): Promise<ConnectionView> {
    // A variant of an audience that the key does not see is like one that is not there.
    const audience = audienceId === null ? undefined : await this.audience(principal, audienceId, variantId);
    if (!audience) throw noSuchVariant(variantId);
    try {
      return await this.service.connect(principal, audience, output, { ...wanted, variantId });
    } catch (error) {
      const same =
        isAlreadyThere(error) && (await this.sameConnection(audience.id, output, variantId, wanted));
      if (same) return this.service.get(principal, same);
      throw error;
    }
  }

  private async audience(principal: Principal, id: number, variantId: string | null) {
    if (variantId === null) return this.service.audience(principal, id);
    return this.service.audience(principal, id).catch((error: unknown) => {
      if (error instanceof HubError && error.code === 'NOT_FOUND') return undefined;
      throw error;
    });
  }

  /** The connection that is there, where it is what was asked for; a fault does not make it another. */
  private async sameConnection(
    audienceId: number,
    output: Output,
    variantId: string | null,
    wanted: Omit<CreateConnection, 'variantId'>,
  ): Promise<string | undefined> {
    const [found] = await this.db
      .select()
      .from(connections)
      .where(
        and(
          eq(connections.audienceId, audienceId),
          eq(connections.outputId, output.id),
          variantId === null ? isNull(connections.variantId) : eq(connections.variantId, variantId),
          inArray(connections.status, LIVE_STATUSES),
        ),
      );
    if (!found) return undefined;
    const isOn = found.status !== 'inactive';
    const same =
      isDeepStrictEqual(found.settings, wanted.settings ?? {}) &&
      isDeepStrictEqual(new Set(found.attributes), new Set(wanted.attributes)) &&
      isOn === (wanted.status === 'active');
    return same ? found.id : undefined;
  }

  private reasonOf(target: Target, error: unknown): { code: string; message: string } {
    if (error instanceof HubError) return { code: error.code, message: error.message };
    this.log.error({ err: error, ...target }, 'one of several was not connected');
    return { code: 'INTERNAL', message: 'The hub failed; its log has the reason. Send the call again.' };
  }
}

function isAlreadyThere(error: unknown): boolean {
  return error instanceof HubError && error.code === 'ALREADY_EXISTS';
}

function noSuchVariant(variantId: string | null): HubError {
  return new HubError('VARIANT_UNKNOWN', `There is no variant ${variantId}, or this API key may not see it.`);
}

function nothingChosen(): HubError {
  return new HubError('VALIDATION_FAILED', 'There is nothing to connect.', [
    { field: 'audienceIds', message: 'must have at least one audience, or variantIds at least one variant' },
  ]);
}
