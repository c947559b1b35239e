import { Injectable } from '@nestjs/common';
import { and, desc, eq, inArray, type SQL } from 'drizzle-orm';
import {
  FULL_AUDIENCE,
  inTargetSql,
  targetOfVariant,
  type AudienceTarget,
} from '../../../domain/audiences/index.js';
import { HubError, notFound } from '../../../domain/errors/index.js';
import { IDENTITY_TYPES, type OutputMember } from '../../../kit/index.js';
import { audienceVersions, imports, type Database } from '../../../platform/database/index.js';
import { InjectDatabase } from '../../../platform/nest/index.js';
import { readPage, type Page, type PageQuery } from '../../http/index.js';
import { Ledger } from '../../ledger/index.js';
import { ProfileLookup, shownValue } from '../../profiles/index.js';
import type { Principal, Workspace } from '../../tenancy/index.js';
import { Variants, VariantSizes } from '../../variants/index.js';
import { AudienceRecords, type Audience } from '../audience-records.js';
import type { MembersQuery, MembersView, TimelineQuery, TimelineView, VersionView } from './members.dto.js';

/** Who is in an audience, since when and why. */
@Injectable()
export class MembersService {
  constructor(
    @InjectDatabase() private readonly db: Database,
    private readonly records: AudienceRecords,
    private readonly ledger: Ledger,
    private readonly lookup: ProfileLookup,
    private readonly variants: Variants,
    private readonly sizes: VariantSizes,
  ) {}

  /** Members ascending by mpid, page after page by key: the last page costs what the first one does. */
  async members(principal: Principal, id: number, query: MembersQuery): Promise<MembersView> {
    const { audience, key } = await this.records.require(principal, id);
    assertReadInTurn(query);
    const { version } = audience;
    const { total, target } = await this.chosen(audience, query.variantId);
    const about = { total, page: query.page, pageSize: query.pageSize, version };
    if (version === 0) return { items: [], next: null, ...about };
    const types = query.identityTypes ?? IDENTITY_TYPES;
    const page = await this.ledger.page(
      key,
      { what: 'members', version },
      {
        after: query.after ?? null,
        limit: query.pageSize,
        condition: inTargetSql(target, 'mpid'),
        forms: types.map((type) => ({ type, encoding: 'raw' as const })),
      },
    );
    const items = page.members.map((member) => shownMember(principal, member));
    return { items, next: page.next, ...about };
  }

  async versions(principal: Principal, id: number, query: PageQuery): Promise<Page<VersionView>> {
    await this.records.require(principal, id);
    const where = eq(audienceVersions.audienceId, id);
    return readPage(query, this.db.$count(audienceVersions, where), (limit, offset) =>
      this.versionRows(where, limit, offset),
    );
  }

  /** Every change of one profile. NOT_FOUND where no profile has the identity. */
  async timeline(principal: Principal, id: number, query: TimelineQuery): Promise<TimelineView> {
    const { audience, workspace, key } = await this.records.require(principal, id);
    const mpid = query.mpid ?? (await this.mpidOf(workspace, query));
    const entries = await this.ledger.timeline(key, mpid, audience.version);
    const versions = entries.map((entry) => entry.version);
    const imported = await this.importsOf(id, versions);
    return {
      audienceId: id,
      mpid,
      member: entries.at(-1)?.change === 'add',
      version: audience.version,
      changes: entries.map((entry) => ({
        version: entry.version,
        change: entry.change,
        at: entry.at,
        import: imported.get(entry.version) ?? null,
      })),
    };
  }

  /** What of the audience is asked for: all of it, or a variant. */
  private async chosen(
    audience: Audience,
    variantId: string | undefined,
  ): Promise<{ total: number; target: AudienceTarget }> {
    if (variantId === undefined) return { total: audience.size, target: FULL_AUDIENCE };
    const test = await this.variants.testOf(audience.id);
    const variant = await this.variants.require(audience.id, variantId);
    const sizes = await this.sizes.of(audience, test?.variants ?? [variant]);
    return { total: sizes.get(variant.id) ?? 0, target: targetOfVariant(variant) };
  }

  private async mpidOf(workspace: Workspace, query: TimelineQuery): Promise<string> {
    const { identityType, identityValue } = query;
    if (identityType === undefined || identityValue === undefined) {
      throw new HubError('VALIDATION_FAILED', 'A timeline is that of one profile.', [
        { field: 'mpid', message: 'must be given, or identityType and identityValue' },
      ]);
    }
    const mpid = await this.lookup.find(workspace, identityType, identityValue);
    if (mpid === undefined) throw notFound('profile', 'with this identity');
    return mpid;
  }

  private async importsOf(
    id: number,
    versions: readonly number[],
  ): Promise<Map<number, VersionView['import']>> {
    if (versions.length === 0) return new Map();
    const where = and(eq(audienceVersions.audienceId, id), inArray(audienceVersions.version, [...versions]));
    const rows = await this.versionRows(where, versions.length, 0);
    return new Map(rows.map((row) => [row.version, row.import]));
  }

  private async versionRows(where: SQL | undefined, limit: number, offset: number): Promise<VersionView[]> {
    const rows = await this.db
      .select({ version: audienceVersions, importId: imports.id, sourceKey: imports.sourceKey })
      .from(audienceVersions)
      .leftJoin(imports, eq(imports.id, audienceVersions.importId))
      .where(where)
      .orderBy(desc(audienceVersions.version))
      .limit(limit)
      .offset(offset);
    return rows.map(({ version, importId, sourceKey }) => ({
      version: version.version,
      size: version.size,
      added: version.added,
      removed: version.removed,
      publishedAt: version.publishedAt.toISOString(),
      import: importId && sourceKey ? { id: importId, sourceKey } : null,
    }));
  }
}

/** Skipping pages would mean reading and dropping millions of members. */
function assertReadInTurn({ page, after }: MembersQuery): void {
  if (page === 1 || after !== undefined) return;
  throw new HubError('VALIDATION_FAILED', 'Members are read page after page.', [
    { field: 'after', message: 'must be the `next` of the page before where page is above 1' },
  ]);
}

function shownMember(principal: Principal, member: OutputMember): MembersView['items'][number] {
  const shown = Object.entries(member.identities).map(([type, values]) => [
    type,
    values.map((value) => shownValue(principal, value)),
  ]);
  return {
    mpid: member.mpid,
    identities: Object.fromEntries(shown) as MembersView['items'][number]['identities'],
  };
}
