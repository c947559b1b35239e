import type { PluginRegistry } from '../../host/registry/index.js';
import type { Database, SendsAgain, Transaction } from '../../platform/database/index.js';
import { readDueHeartbeats } from '../upkeep/index.js';
import type { PlanSubject } from './plan-basis.js';

/**
 * Which members who stay are sent again by the delivery that would be made now, or once what is under way has ended: all
 * of them where somebody asked for it, else those whose heartbeats are due. Null: none.
 */
export async function readPlannedAgain(
  db: Database | Transaction,
  registry: PluginRegistry,
  subject: PlanSubject,
  nowMs: number,
): Promise<SendsAgain | null> {
  const { connection, output, upkeep, open } = subject;
  const first = open?.fromVersion === 0;
  // A connection's first delivery sends everybody anyway, but for what was asked for once it had begun.
  if (!upkeep || (first ? open.touchedAt === null : connection.deliveredVersion === 0)) return null;
  const done = Math.max(upkeep.backfillsDone, open?.sendsAgain?.backfill ?? 0);
  if (upkeep.backfillsWanted > done) return { backfill: upkeep.backfillsWanted };
  if (first || open?.sendsAgain?.backfill !== undefined || open?.cursor.operation === 'replace') return null;
  const due = await readDueHeartbeats(db, registry, { connection, output, beats: upkeep.heartbeats }, nowMs);
  if (due?.since === undefined) return null;
  const slots = Object.entries(due.slots).filter(
    ([slice, slotMs]) => (open?.sendsAgain?.heartbeat?.slots[slice] ?? 0) < slotMs,
  );
  if (slots.length === 0) return null;
  const since = Math.min(due.since, connection.deliveredVersion);
  return { heartbeat: { since, slots: Object.fromEntries(slots) } };
}

/** Who is sent again, for people; the same words for the same members. */
export function describeAgain(again: SendsAgain | null | undefined): string {
  if (again?.backfill !== undefined) return `all members who stay (backfill ${again.backfill})`;
  if (!again?.heartbeat) return 'nobody who stays';
  const turns = Object.entries(again.heartbeat.slots)
    .map(([slice, slotMs]) => `${slice} of ${new Date(slotMs).toISOString()}`)
    .sort();
  return `members since version ${again.heartbeat.since} in slices ${turns.join(', ')}`;
}
