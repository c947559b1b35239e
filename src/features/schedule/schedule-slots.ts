import { sql } from 'drizzle-orm';
import { leases, rowsOf, scheduleSlots, type Database } from '../../platform/database/index.js';
import type { Leases } from '../../platform/lease/index.js';

/** How many slots back the rows of a schedule are kept. */
const KEPT_SLOTS = 144;

/** A slot of a schedule: the span of `everyMs` that begins at `slotMs` (milliseconds since 1970). */
export interface Slot {
  schedule: string;
  slotMs: number;
  everyMs: number;
}

/** The slot that `nowMs` lies in. Slots begin at multiples of `everyMs`, the same ones in every process. */
export function slotAt(schedule: string, everyMs: number, nowMs: number): Slot {
  return { schedule, everyMs, slotMs: Math.floor(nowMs / everyMs) * everyMs };
}

/** Name of the lease of whoever runs a slot of the schedule. */
export function leaseNameOf(schedule: string): string {
  return `schedule:${schedule}`;
}

/**
 * The rows of slots, written under the schedule's lease: so one slot of a schedule runs at a time, and a row
 * without `doneAt` whose lease is free was left by a process that died. Every write is one statement.
 */
export class ScheduleSlots {
  constructor(
    private readonly db: Database,
    private readonly leases: Leases,
  ) {}

  /**
   * Takes the slot as `owner`.
   *
   * - `taken`: it is `owner`'s to run now, and so is the lease until {@link release}.
   * - `settled`: it was run, or a newer one was; no need to ask again.
   * - `held`: somebody else runs a slot of the schedule; ask again later.
   */
  async take(slot: Slot, owner: string): Promise<'taken' | 'settled' | 'held'> {
    if (!(await this.leases.acquire(leaseNameOf(slot.schedule), owner))) return 'held';
    let taken = false;
    try {
      taken = await this.begin(slot);
    } finally {
      if (!taken) await this.release(slot, owner);
    }
    return taken ? 'taken' : 'settled';
  }

  /** Marks the slot as run if `owner` still holds the lease, and forgets slots of long ago. */
  async finish({ schedule, slotMs, everyMs }: Slot, owner: string): Promise<void> {
    await this.db.execute(sql`
      update ${scheduleSlots} set done_at = now()
      where schedule = ${schedule} and slot_ms = ${slotMs}::bigint and exists (
        select 1 from ${leases} as held
        where held.name = ${leaseNameOf(schedule)} and held.owner = ${owner}::uuid and held.until > now()
      )`);
    const oldestMs = slotMs - KEPT_SLOTS * everyMs;
    await this.db.execute(
      sql`delete from ${scheduleSlots} where schedule = ${schedule} and slot_ms < ${oldestMs}::bigint`,
    );
  }

  /** Lets go of the lease. A slot that was not finished is free for another process at once. */
  async release(slot: Slot, owner: string): Promise<void> {
    await this.leases.release(leaseNameOf(slot.schedule), owner);
  }

  /**
   * Writes the slot's row. False where it was run already, or where the next one is there: a process whose
   * clock is behind must not run an older slot after a newer one. Rows further ahead come from a clock that
   * was wrong; they do not count, or the schedule would rest until then.
   */
  private async begin({ schedule, slotMs, everyMs }: Slot): Promise<boolean> {
    const begun = await this.db.execute(sql`
      insert into ${scheduleSlots} (schedule, slot_ms)
      select ${schedule}::text, ${slotMs}::bigint
      where not exists (
        select 1 from ${scheduleSlots} as newer where newer.schedule = ${schedule}
        and newer.slot_ms > ${slotMs}::bigint and newer.slot_ms <= ${slotMs + everyMs}::bigint
      )
      on conflict (schedule, slot_ms) do update set claimed_at = now() where schedule_slots.done_at is null
      returning slot_ms`);
    return rowsOf(begun).length === 1;
  }
}
