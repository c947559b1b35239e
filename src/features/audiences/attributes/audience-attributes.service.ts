import { Injectable } from '@nestjs/common';
import { InjectWarehouse } from '../../../platform/nest/index.js';
import type { Warehouse } from '../../../platform/warehouse/index.js';
import type { Page, PageQuery } from '../../http/index.js';
import { membersSql, MERGED, type AudienceKey } from '../../ledger/index.js';
import type { Principal } from '../../tenancy/index.js';
import { AudienceRecords } from '../audience-records.js';
import type { AudienceAttributeView } from './audience-attributes.dto.js';

/** What is known of an audience's members besides their identities, so that somebody can choose what to share. */
@Injectable()
export class AudienceAttributes {
  constructor(
    @InjectWarehouse() private readonly warehouse: Warehouse,
    private readonly records: AudienceRecords,
  ) {}

  async list(
    principal: Principal,
    id: number,
    { page, pageSize }: PageQuery,
  ): Promise<Page<AudienceAttributeView>> {
    const { audience, key } = await this.records.require(principal, id);
    const all = audience.version === 0 ? [] : await this.count(key, audience.version, audience.size);
    return { items: all.slice((page - 1) * pageSize, page * pageSize), total: all.length, page, pageSize };
  }

  /** Members and attributes are read in the order of their tables' keys and merged. */
  private async count(
    { audienceId, workspace }: AudienceKey,
    version: number,
    size: number,
  ): Promise<AudienceAttributeView[]> {
    const rows = await this.warehouse.query<{ name: string; members: string | number }>(
      `SELECT argMax(said, latest) AS name, count() AS members FROM (
         SELECT a.key AS key, a.said AS said, a.latest AS latest FROM (${membersSql(audienceId, version)}) AS m
         INNER JOIN (
           SELECT mpid, key, argMax(attributes.name, import) AS said, max(import) AS latest FROM attributes
           WHERE workspace = ${workspace} GROUP BY workspace, mpid, key
         ) AS a ON m.mpid = a.mpid)
       GROUP BY key ORDER BY members DESC, key`,
      { settings: MERGED, lane: 'bulk' },
    );
    return rows.map(({ name, members }) => ({
      name,
      members: Number(members),
      coverage: size === 0 ? 0 : Number(members) / size,
    }));
  }
}
