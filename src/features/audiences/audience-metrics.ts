import { Injectable } from '@nestjs/common';
import { and, asc, desc, eq, gte, inArray, sum } from 'drizzle-orm';
import {
  audienceVersions,
  connections,
  LIVE_STATUSES,
  imports,
  outputs,
  type Database,
  type ImportState,
} from '../../platform/database/index.js';
import { InjectDatabase } from '../../platform/nest/index.js';
import { FaultCounts } from '../faults/index.js';
import { Variants } from '../variants/index.js';

/** What the list shows beside the audience's own columns. */
export interface AudienceMetrics {
  addsLast24h: number;
  dropsLast24h: number;
  /** Names of the outputs it is connected to, each once, sorted. */
  outputNames: string[];
  openFaults: number;
  /** Has an A/B test. */
  abTest: boolean;
  lastImport: { id: string; state: ImportState } | null;
}

const DAY_MS = 86_400_000;

/** Metrics of many audiences at once: one query a kind, however long the page is. */
@Injectable()
export class AudienceMetricsReader {
  constructor(
    @InjectDatabase() private readonly db: Database,
    private readonly faults: FaultCounts,
    private readonly variants: Variants,
  ) {}

  async read(ids: readonly number[], now: Date): Promise<(id: number) => AudienceMetrics> {
    const changes = await this.changesSince(ids, new Date(now.getTime() - DAY_MS));
    const names = await this.outputNames(ids);
    const faults = await this.faults.byAudience(ids);
    const tests = await this.variants.testsOf(ids);
    const lastImports = await this.lastImports(ids);
    return (id) => ({
      addsLast24h: changes.get(id)?.adds ?? 0,
      dropsLast24h: changes.get(id)?.drops ?? 0,
      outputNames: names.get(id) ?? [],
      openFaults: faults.get(id) ?? 0,
      abTest: tests.has(id),
      lastImport: lastImports.get(id) ?? null,
    });
  }

  private async changesSince(
    ids: readonly number[],
    since: Date,
  ): Promise<Map<number, { adds: number; drops: number }>> {
    if (ids.length === 0) return new Map();
    const rows = await this.db
      .select({
        id: audienceVersions.audienceId,
        adds: sum(audienceVersions.added).mapWith(Number),
        drops: sum(audienceVersions.removed).mapWith(Number),
      })
      .from(audienceVersions)
      .where(and(inArray(audienceVersions.audienceId, [...ids]), gte(audienceVersions.publishedAt, since)))
      .groupBy(audienceVersions.audienceId);
    return new Map(rows.map(({ id, adds, drops }) => [id, { adds, drops }]));
  }

  private async outputNames(ids: readonly number[]): Promise<Map<number, string[]>> {
    if (ids.length === 0) return new Map();
    const rows = await this.db
      .selectDistinct({ id: connections.audienceId, outputId: outputs.id, name: outputs.name })
      .from(connections)
      .innerJoin(outputs, eq(outputs.id, connections.outputId))
      .where(and(inArray(connections.audienceId, [...ids]), inArray(connections.status, LIVE_STATUSES)))
      .orderBy(asc(outputs.name), asc(outputs.id));
    const names = new Map<number, string[]>();
    for (const { id, name } of rows) names.set(id, [...(names.get(id) ?? []), name]);
    return names;
  }

  private async lastImports(
    ids: readonly number[],
  ): Promise<Map<number, { id: string; state: ImportState }>> {
    if (ids.length === 0) return new Map();
    const rows = await this.db
      .selectDistinctOn([imports.audienceId], {
        audienceId: imports.audienceId,
        id: imports.id,
        state: imports.state,
      })
      .from(imports)
      .where(inArray(imports.audienceId, [...ids]))
      .orderBy(imports.audienceId, desc(imports.sequence));
    return new Map(rows.map(({ audienceId, id, state }) => [audienceId ?? 0, { id, state }]));
  }
}
