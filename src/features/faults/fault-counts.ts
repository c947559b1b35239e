import { Injectable } from '@nestjs/common';
import { and, count, eq, inArray, isNull, type SQL } from 'drizzle-orm';
import { connections, faults, type Database } from '../../platform/database/index.js';
import { InjectDatabase } from '../../platform/nest/index.js';

/** How many faults are open, for the marks that other features show. Ids without an open fault are absent. */
@Injectable()
export class FaultCounts {
  constructor(@InjectDatabase() private readonly db: Database) {}

  async byAudience(ids: readonly number[]): Promise<Map<number, number>> {
    const rows = await this.count(
      connections.audienceId,
      inArray(connections.audienceId, [...ids]),
      ids.length,
    );
    return new Map(rows.map(({ id, open }) => [Number(id), open]));
  }

  async byOutput(ids: readonly string[]): Promise<Map<string, number>> {
    const rows = await this.count(connections.outputId, inArray(connections.outputId, [...ids]), ids.length);
    return new Map(rows.map(({ id, open }) => [String(id), open]));
  }

  async byConnection(ids: readonly string[]): Promise<Map<string, number>> {
    const rows = await this.count(connections.id, inArray(connections.id, [...ids]), ids.length);
    return new Map(rows.map(({ id, open }) => [String(id), open]));
  }

  /** Open faults of the whole hub, by kind. */
  async openByKind(): Promise<Record<string, number>> {
    const rows = await this.db
      .select({ kind: faults.kind, open: count() })
      .from(faults)
      .where(isNull(faults.resolvedAt))
      .groupBy(faults.kind);
    return Object.fromEntries(rows.map(({ kind, open }) => [kind, open]));
  }

  private async count(
    column: typeof connections.audienceId | typeof connections.outputId | typeof connections.id,
    where: SQL,
    wanted: number,
  ): Promise<{ id: string | number; open: number }[]> {
    if (wanted === 0) return [];
    return this.db
      .select({ id: column, open: count() })
      .from(faults)
      .innerJoin(connections, eq(connections.id, faults.connectionId))
      .where(and(isNull(faults.resolvedAt), where))
      .groupBy(column);
  }
}
