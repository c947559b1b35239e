import { Injectable } from '@nestjs/common';
import { and, asc, eq, gt, isNull } from 'drizzle-orm';
import { isInTarget, targetOfVariant } from '../../domain/audiences/index.js';
import { HubError, notFound } from '../../domain/errors/index.js';
import { partnerAndId } from '../../domain/identities/index.js';
import { audiences, type Database } from '../../platform/database/index.js';
import { InjectDatabase, InjectWarehouse } from '../../platform/nest/index.js';
import type { Warehouse } from '../../platform/warehouse/index.js';
import { Ledger } from '../ledger/index.js';
import { WorkspaceScope, type Principal, type Workspace } from '../tenancy/index.js';
import { Variants } from '../variants/index.js';
import type { AttributeView, MembershipView, ProfileView } from './profiles.dto.js';
import { shownValue } from './shown-identities.js';

/** One profile, as its workspace knows it. */
@Injectable()
export class ProfilesService {
  constructor(
    @InjectDatabase() private readonly db: Database,
    @InjectWarehouse() private readonly warehouse: Warehouse,
    private readonly ledger: Ledger,
    private readonly scope: WorkspaceScope,
    private readonly variants: Variants,
  ) {}

  /** NOT_FOUND where the workspace neither has an identity nor a member of this mpid. */
  async get(principal: Principal, mpid: string, workspaceId: string | undefined): Promise<ProfileView> {
    const workspace = await this.workspaceOf(principal, workspaceId);
    const identities = await this.ledger.identitiesOf(workspace.number, mpid);
    const memberships = await this.membershipsOf(workspace.id, mpid);
    if (identities.length === 0 && memberships.length === 0) throw notFound('profile', mpid);
    return {
      mpid,
      workspaceId: workspace.id,
      identities: identities.map(({ type, value }) => {
        const { id, partner } = partnerAndId(type, value);
        return { type, value: shownValue(principal, id), ...(partner === undefined ? {} : { partner }) };
      }),
      attributes: (await this.attributesOf(workspace.number, mpid)).map(({ name, value }) => ({
        name,
        value: shownValue(principal, value),
      })),
      audiences: memberships,
    };
  }

  private attributesOf(workspace: number, mpid: string): Promise<AttributeView[]> {
    return this.warehouse.query<AttributeView>(
      `SELECT argMax(attributes.name, import) AS name, argMax(attributes.value, import) AS value FROM attributes
       WHERE workspace = {workspace:UInt32} AND mpid = {mpid:Int64} GROUP BY key ORDER BY key`,
      { params: { workspace, mpid: BigInt(mpid) } },
    );
  }

  private workspaceOf(principal: Principal, given: string | undefined): Promise<Workspace> {
    const { scope } = principal;
    const workspaceId = given ?? (scope.kind === 'workspace' ? scope.workspaceId : undefined);
    if (workspaceId !== undefined) return this.scope.requireWorkspace(principal, workspaceId);
    throw new HubError('VALIDATION_FAILED', 'A profile belongs to a workspace.', [
      { field: 'workspaceId', message: 'must be given: this API key sees several workspaces' },
    ]);
  }

  private async membershipsOf(workspaceId: string, mpid: string): Promise<MembershipView[]> {
    const published = await this.db
      .select({ id: audiences.id, name: audiences.name, version: audiences.version })
      .from(audiences)
      .where(
        and(eq(audiences.workspaceId, workspaceId), isNull(audiences.deletedAt), gt(audiences.version, 0)),
      )
      .orderBy(asc(audiences.name), asc(audiences.id));
    if (published.length === 0) return [];
    const since = await this.memberSince(published, mpid);
    const tests = await this.variants.testsOf([...since.keys()]);
    return published.flatMap(({ id, name }) => {
      const sinceVersion = since.get(id);
      if (sinceVersion === undefined) return [];
      const variant = tests.get(id)?.find((one) => isInTarget(targetOfVariant(one), mpid));
      return [{ id, name, sinceVersion, ...(variant ? { variant: variant.name } : {}) }];
    });
  }

  /** Version of the last change, by audience, where that change was an add. */
  private async memberSince(
    published: readonly { id: number; version: number }[],
    mpid: string,
  ): Promise<Map<number, number>> {
    const ids = published.map((audience) => audience.id).join(', ');
    const versions = published.map((audience) => audience.version).join(', ');
    const rows = await this.warehouse.query<{ audience: string | number; since: number }>(
      `SELECT audience_id AS audience, max(version) AS since FROM ledger
       WHERE audience_id IN (${ids}) AND mpid = {mpid:Int64}
         AND version <= transform(audience_id, [${ids}]::Array(UInt64), [${versions}]::Array(UInt32), toUInt32(0))
       GROUP BY audience_id HAVING argMax(sign, version) = 1`,
      { params: { mpid: BigInt(mpid) } },
    );
    return new Map(rows.map((row) => [Number(row.audience), row.since]));
  }
}
