import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { and, asc, eq, sql, type SQL } from 'drizzle-orm';
import { notFound } from '../../domain/errors/index.js';
import { ContextFactory } from '../../host/context/index.js';
import { changesOf, recordAudit } from '../../platform/audit/index.js';
import { inputs, type Database, type Transaction } from '../../platform/database/index.js';
import { InjectDatabase } from '../../platform/nest/index.js';
import { ConnectorSettings, runCheck, type CheckView } from '../connectors/index.js';
import { readPage, type Page } from '../http/index.js';
import { requireWiderScope, scopedTo, WorkspaceScope, type Principal } from '../tenancy/index.js';
import type { CreateInput, Input, InputsQuery, UpdateInput } from './inputs.dto.js';

/** Configured input connectors. */
@Injectable()
export class InputsService {
  constructor(
    @InjectDatabase() private readonly db: Database,
    private readonly scope: WorkspaceScope,
    private readonly connectors: ConnectorSettings,
    private readonly contexts: ContextFactory,
  ) {}

  /** A key that reaches the whole organization makes inputs whose files may name all of its seats. */
  async create(principal: Principal, given: CreateInput): Promise<Input> {
    await this.scope.requireWorkspace(principal, given.workspaceId);
    const reached = principal.scope.kind === 'workspace' ? 'workspace' : 'organization';
    const routing = given.routing ?? reached;
    if (routing === 'organization')
      requireWiderScope(principal, 'An input for all seats of the organization');
    const id = randomUUID();
    const { workspaceId, plugin, name } = given;
    const connector = { id, plugin, settings: given.settings ?? {}, credentials: given.credentials ?? {} };
    const prepared = await this.connectors.prepare('input', connector);
    const { onUnknown = null, enabled = true } = given;
    return this.db.transaction(async (tx) => {
      const [row] = await tx
        .insert(inputs)
        .values({ id, workspaceId, plugin, name, ...prepared, onUnknown, routing, enabled })
        .returning();
      if (!row) throw notFound('input', id);
      await note(tx, 'create', undefined, row);
      return row;
    });
  }

  async list(principal: Principal, query: InputsQuery): Promise<Page<Input>> {
    const where = and(
      scopedTo(principal, inputs.workspaceId),
      query.workspaceId ? eq(inputs.workspaceId, query.workspaceId) : undefined,
    );
    return readPage(query, this.db.$count(inputs, where), (limit, offset) =>
      this.db
        .select()
        .from(inputs)
        .where(where)
        .orderBy(asc(inputs.name), asc(inputs.id))
        .limit(limit)
        .offset(offset),
    );
  }

  /** The input, or NOT_FOUND where it does not exist or `principal` may not see it. */
  async get(principal: Principal, id: string): Promise<Input> {
    const [row] = await this.db.select().from(inputs).where(one(principal, id));
    if (!row) throw notFound('input', id);
    return row;
  }

  async update(principal: Principal, id: string, given: UpdateInput): Promise<Input> {
    const current = await this.get(principal, id);
    const routing = given.routing ?? current.routing;
    assertMayChange(principal, current);
    if (routing === 'organization')
      requireWiderScope(principal, 'An input for all seats of the organization');
    const touched = given.settings !== undefined || given.credentials !== undefined;
    const connector = {
      id,
      plugin: current.plugin,
      settings: given.settings ?? current.settings,
      credentials: given.credentials,
    };
    const prepared = touched
      ? await this.connectors.prepare('input', connector, current.credentials)
      : { settings: current.settings, credentials: current.credentials };
    return this.db.transaction(async (tx) => {
      const [row] = await tx
        .update(inputs)
        .set({
          ...prepared,
          name: given.name ?? current.name,
          onUnknown: given.onUnknown === undefined ? current.onUnknown : given.onUnknown,
          routing,
          enabled: given.enabled ?? current.enabled,
          updatedAt: sql`now()`,
        })
        .where(one(principal, id))
        .returning();
      if (!row) throw notFound('input', id);
      await note(tx, 'update', current, row);
      return row;
    });
  }

  /** Deletes it with what is known of its source keys; its imports and audiences stay. */
  async delete(principal: Principal, id: string): Promise<void> {
    const current = await this.get(principal, id);
    assertMayChange(principal, current);
    await this.db.transaction(async (tx) => {
      await tx.delete(inputs).where(one(principal, id));
      await note(tx, 'delete', current, undefined);
    });
  }

  async check(principal: Principal, id: string): Promise<CheckView> {
    const row = await this.get(principal, id);
    return runCheck(() => this.contexts.input(row));
  }
}

/** Of settings and credentials only the names of what changed. */
async function note(
  tx: Transaction,
  verb: 'create' | 'update' | 'delete',
  before: Input | undefined,
  after: Input | undefined,
): Promise<void> {
  const { id, workspaceId } = after ?? before ?? {};
  await recordAudit(tx, {
    action: `input.${verb}`,
    object: { type: 'input', id },
    workspaceId,
    changes: changesOf(before, after, {
      shown: ['plugin', 'name', 'onUnknown', 'routing', 'enabled'],
      named: ['settings', 'credentials'],
    }),
  });
}

function one(principal: Principal, id: string): SQL | undefined {
  return and(eq(inputs.id, id), scopedTo(principal, inputs.workspaceId));
}

/** Whoever sets where such an input reads from decides what other workspaces get. */
function assertMayChange(principal: Principal, input: Input): void {
  if (input.routing === 'organization') {
    requireWiderScope(principal, 'Changing an input for all seats of the organization');
  }
}
