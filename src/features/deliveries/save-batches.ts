import { sql, type SQL } from 'drizzle-orm';
import {
  connections,
  deliveries,
  deliveryBatches,
  rowsOf,
  type ConnectionStatus,
  type DeliveryCursor,
  type MemberOutcome,
} from '../../platform/database/index.js';
import type { WorkLease } from '../../platform/lease/index.js';
import type { FinishedStep } from './partner-side.js';

/** A row of batches, in the names of its columns. */
export type BatchRow = ReturnType<typeof rowOf>;

/**
 * What is kept of steps of which the first is the `position`th of its delivery. Those that the partner accepted whole, one
 * after another, become one row: of a fast partner's hundreds that costs a fifth.
 */
export function rowsOfSteps(position: number, steps: readonly FinishedStep[]): BatchRow[] {
  const rows: BatchRow[] = [];
  for (const [index, step] of steps.entries()) {
    const row = rowOf(position + index, step);
    const before = rows.at(-1);
    if (before && isWhole(before) && isWhole(row) && before.operation === row.operation) {
      before.batches += 1;
      before.accepted += row.accepted;
      before.last_mpid = row.last_mpid;
    } else rows.push(row);
  }
  return rows;
}

function isWhole({ exceptions }: BatchRow): boolean {
  return exceptions.length === 0;
}

function rowOf(position: number, finished: FinishedStep) {
  const { operation, batchId, firstMpid, lastMpid, accepted, exceptions } = finished;
  const of = (wanted: MemberOutcome['status']) =>
    exceptions.reduce((sum, { status, count = 1 }) => (status === wanted ? sum + count : sum), 0);
  return {
    position,
    operation,
    batch_id: batchId,
    batches: 1,
    first_mpid: firstMpid,
    last_mpid: lastMpid,
    accepted,
    rejected: of('rejected'),
    skipped: of('skipped'),
    exceptions,
  };
}

/** Members of all rows with this outcome. */
export function sumOf(rows: readonly BatchRow[], of: 'accepted' | 'rejected' | 'skipped'): number {
  return rows.reduce((total, row) => total + row[of], 0);
}

/**
 * The statement that writes the rows and moves the delivery that `isHeld` finds behind them; nothing where it finds
 * none. Rows, counts and cursor are written together or not at all. See {@link statusIn} for what it answers.
 */
export function saveSql(isHeld: SQL | undefined, cursor: DeliveryCursor, rows: readonly BatchRow[]): SQL {
  return sql`
    with moved as (
      update ${deliveries} set
        cursor = ${JSON.stringify(cursor)}::text::jsonb,
        accepted = ${deliveries.accepted} + ${sumOf(rows, 'accepted')}::integer,
        rejected = ${deliveries.rejected} + ${sumOf(rows, 'rejected')}::integer,
        skipped = ${deliveries.skipped} + ${sumOf(rows, 'skipped')}::integer,
        failures = 0, first_failure_at = null, error = null
      where ${isHeld} returning id, connection_id
    ), written as (
      insert into ${deliveryBatches} (delivery_id, position, operation, batch_id, batches, first_mpid, last_mpid,
        accepted, rejected, skipped, exceptions)
      select moved.id, one.* from moved, jsonb_to_recordset(${JSON.stringify(rows)}::text::jsonb) as one(
        position integer, operation text, batch_id text, batches integer, first_mpid bigint, last_mpid bigint,
        accepted integer, rejected integer, skipped integer, exceptions jsonb)
      on conflict do nothing
    )
    select status from ${connections} where id = (select connection_id from moved)`;
}

/** The connection's status, from the answer to {@link saveSql}. Throws LeaseLostError where nothing was written. */
export function statusIn(answer: unknown, lease: WorkLease, deliveryId: string): ConnectionStatus {
  const [row] = rowsOf<{ status: ConnectionStatus }>(answer);
  if (row === undefined) throw lease.lost(deliveryId);
  return row.status;
}
