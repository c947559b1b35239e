import { Injectable } from '@nestjs/common';
import { HubError, notFound } from '../../domain/errors/index.js';
import { codeOf, identityHashSql, typeNameSql } from '../../domain/identities/index.js';
import type { IdentityType } from '../../kit/index.js';
import { recordAudit } from '../../platform/audit/index.js';
import { workspaces, type Database } from '../../platform/database/index.js';
import { InjectDatabase, InjectWarehouse } from '../../platform/nest/index.js';
import type { SqlParams, Warehouse } from '../../platform/warehouse/index.js';
import { readPage, type Page } from '../http/index.js';
import { normalisedIdentity } from '../profiles/index.js';
import { entrySql, suppressionKey, withFormsSql } from '../suppressions/index.js';
import { scopedTo, WorkspaceScope, type Principal, type Workspace } from '../tenancy/index.js';
import type { GivePeople } from './erasures.dto.js';
import type { FoundSuppressionView, SuppressionsQuery, SuppressionView } from './suppressions.dto.js';

/** An entry as people name it: its 128 bits, in hexadecimal digits. */
const ID = `leftPad(lower(hex(entry)), 32, '0')`;
const AT = `formatDateTime(at, '%Y-%m-%dT%H:%i:%S.%fZ', 'UTC')`;

/** The list of suppressed identities: what can be said of it, and lifting an entry. */
@Injectable()
export class SuppressionsService {
  constructor(
    @InjectDatabase() private readonly db: Database,
    @InjectWarehouse() private readonly warehouse: Warehouse,
    private readonly scope: WorkspaceScope,
  ) {}

  /** Entries, and not the hash forms that go with them; by type, then id. */
  async list(principal: Principal, query: SuppressionsQuery): Promise<Page<SuppressionView>> {
    const workspace = await this.workspaceOf(principal, query.workspaceId);
    const conditions = [
      `workspace = ${workspace.number}`,
      'origin = toUInt128(0)',
      ...(query.type === undefined ? [] : [`type = ${codeOf(query.type)}`]),
      ...(query.erasureId === undefined ? [] : [`erasure = '${query.erasureId}'`]),
    ];
    const from = `suppressions FINAL WHERE ${conditions.join(' AND ')}`;
    return readPage(query, this.count(from), (limit, offset) =>
      this.warehouse.query<SuppressionView>(
        `SELECT ${ID} AS id, ${typeNameSql('suppressions.type')} AS type, toString(erasure) AS erasureId, ${AT} AS at
         FROM ${from} ORDER BY suppressions.type, entry LIMIT ${limit} OFFSET ${offset}`,
      ),
    );
  }

  /** The entries of identities, so that whoever knows a value can lift its suppression. */
  async find(principal: Principal, given: GivePeople): Promise<FoundSuppressionView[]> {
    const workspace = await this.scope.requireWorkspace(principal, given.workspaceId);
    const found: FoundSuppressionView[] = [];
    for (const [index, { type, value }] of (given.identities ?? []).entries()) {
      const field = `identities.${index}.value`;
      const normalised = normalisedIdentity(workspace.settings, type, value, field);
      found.push({ type, id: await this.entryOf(workspace, type, normalised) });
    }
    return found;
  }

  /**
   * Lifts an entry (32 hexadecimal digits), and the hash forms that came with it. WRONG_STATE while somebody whose identity it is has not left yet:
   * they would come in again before they are out.
   */
  async lift(principal: Principal, id: string): Promise<void> {
    const visible = await this.db
      .select({ id: workspaces.id, number: workspaces.number })
      .from(workspaces)
      .where(scopedTo(principal, workspaces.id));
    const isIt = `entry = reinterpretAsUInt128(reverse(unhex('${id}')))`;
    const [entry] = await this.warehouse.query<{ workspace: number }>(
      `SELECT workspace FROM suppressions WHERE ${isIt} LIMIT 1`,
    );
    const workspace = visible.find(({ number }) => number === entry?.workspace);
    if (workspace === undefined) throw notFound('suppression', id);
    await this.refuseWhileLeaving(workspace.number, isIt);
    await this.warehouse.command(
      `ALTER TABLE suppressions DELETE WHERE workspace = ${workspace.number}
         AND (${isIt} OR ${isIt.replace('entry', 'origin')})`,
      { settings: { mutations_sync: 2 }, lane: 'bulk' },
    );
    await recordAudit(this.db, {
      action: 'suppression.lift',
      object: { type: 'suppression', id },
      workspaceId: workspace.id,
    });
  }

  private async refuseWhileLeaving(workspace: number, isIt: string): Promise<void> {
    const theirs = withFormsSql(
      `SELECT DISTINCT type, value FROM profiles WHERE workspace = ${workspace}
         AND mpid IN (SELECT mpid FROM erasure_profiles WHERE workspace = ${workspace})`,
    );
    const rows = await this.warehouse.query(
      `SELECT 1 FROM (SELECT ${entrySql(workspace, 'type', 'hash')} AS entry FROM (${theirs})) WHERE ${isIt} LIMIT 1`,
      { params: await suppressionKey(this.db), lane: 'bulk' },
    );
    if (rows.length === 0) return;
    throw new HubError(
      'WRONG_STATE',
      'Somebody with this identity has not left all partners yet. Lift it when GET /erasures shows that it is done.',
    );
  }

  private async entryOf(workspace: Workspace, type: IdentityType, value: string): Promise<string | null> {
    const hash = identityHashSql(type, '{value:String}');
    const entry = entrySql(workspace.number, String(codeOf(type)), hash);
    const params: SqlParams = { ...(await suppressionKey(this.db)), value };
    const [row] = await this.warehouse.query<{ id: string }>(
      `SELECT ${ID} AS id FROM suppressions
       WHERE workspace = ${workspace.number} AND type = ${codeOf(type)} AND entry = ${entry} LIMIT 1`,
      { params },
    );
    return row?.id ?? null;
  }

  private async count(from: string): Promise<number> {
    const [row] = await this.warehouse.query<{ n: string }>(`SELECT count() AS n FROM ${from}`);
    return Number(row?.n ?? 0);
  }

  private workspaceOf(principal: Principal, given: string | undefined): Promise<Workspace> {
    const { scope } = principal;
    const workspaceId = given ?? (scope.kind === 'workspace' ? scope.workspaceId : undefined);
    if (workspaceId !== undefined) return this.scope.requireWorkspace(principal, workspaceId);
    throw new HubError('VALIDATION_FAILED', 'Suppressions belong to a workspace.', [
      { field: 'workspaceId', message: 'must be given: this API key sees several workspaces' },
    ]);
  }
}
