import { Injectable, type OnModuleInit } from '@nestjs/common';
import { inArray, sql } from 'drizzle-orm';
import { rowsOf, workspaces, type Database } from '../../../platform/database/index.js';
import type { Logger } from '../../../platform/log/index.js';
import { InjectDatabase, InjectLogger, InjectWarehouse } from '../../../platform/nest/index.js';
import type { Warehouse } from '../../../platform/warehouse/index.js';
import { ScheduleService } from '../../schedule/index.js';

const TEN_MINUTES_MS = 10 * 60 * 1000;

/** `profiles` last: it is what tells that there is something left to erase. */
const TABLES = [
  'attributes',
  'identity_changes',
  'identities',
  'suppressions',
  'erasure_targets',
  'erasure_profiles',
  'profiles',
] as const;

/**
 * Erases the people of deleted workspaces. Nothing has to be noted when a workspace is deleted: its number is
 * in the warehouse and in no row of the database, which is so too for what an import wrote that ran meanwhile.
 */
@Injectable()
export class ProfileErasure implements OnModuleInit {
  private readonly log: Logger;

  constructor(
    @InjectDatabase() private readonly db: Database,
    @InjectWarehouse() private readonly warehouse: Warehouse,
    private readonly schedule: ScheduleService,
    @InjectLogger() log: Logger,
  ) {
    this.log = log.child({ context: 'profiles' });
  }

  onModuleInit(): void {
    this.schedule.register('erase-profiles', TEN_MINUTES_MS, () => this.sweep());
  }

  /** Erases what belongs to no workspace any more. Cut short anywhere, the next sweep goes on. */
  async sweep(): Promise<void> {
    const numbers = await this.withoutLiving(await this.strangers());
    if (numbers.length === 0) return;
    for (const table of TABLES) {
      await this.warehouse.command(`ALTER TABLE ${table} DELETE WHERE workspace IN (${numbers.join(', ')})`, {
        settings: { mutations_sync: 2 },
        lane: 'bulk',
      });
    }
    this.log.info({ workspaces: numbers.length }, 'erased the profiles of deleted workspaces');
  }

  /** Numbers in the warehouse that are none of the present workspaces'. The key's index answers it. */
  private async strangers(): Promise<number[]> {
    const rows = await this.db.select({ number: workspaces.number }).from(workspaces);
    const present = [0, ...rows.map((row) => row.number)].join(', ');
    const selects = TABLES.map(
      (table) => `SELECT workspace FROM ${table} WHERE workspace NOT IN (${present})`,
    );
    const found = await this.warehouse.query<{ workspace: number }>(
      `SELECT DISTINCT workspace FROM (${selects.join(' UNION ALL ')}) ORDER BY workspace`,
      { lane: 'bulk' },
    );
    return found.map((row) => row.workspace);
  }

  /**
   * Asked again after the warehouse, so that a workspace made meanwhile is safe. Numbers that this database
   * never gave out are none of its business: it was emptied or restored, and nobody asked for an erasure.
   */
  private async withoutLiving(numbers: readonly number[]): Promise<number[]> {
    if (numbers.length === 0) return [];
    const living = await this.db
      .select({ number: workspaces.number })
      .from(workspaces)
      .where(inArray(workspaces.number, [...numbers]));
    const given = await this.db.execute(
      sql`select coalesce(pg_sequence_last_value(pg_get_serial_sequence('workspaces', 'number')::regclass), 0)::int as last`,
    );
    const last = rowsOf<{ last: number }>(given)[0]?.last ?? 0;
    const alive = new Set(living.map((row) => row.number));
    return numbers.filter((number) => number <= last && !alive.has(number));
  }
}
