import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { FinishedStep } from './partner-side.js';
import { rowsOfSteps, sumOf } from './save-batches.js';

const anyStep = fc.record({
  operation: fc.constantFrom('add', 'remove', 'add_again'),
  accepted: fc.nat({ max: 1000 }),
  rejected: fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, fc.nat({ max: 3 })),
});

/** Steps one after another, each of three mpids. */
const stepsOf = (
  all: readonly { operation: 'add' | 'remove' | 'add_again'; accepted: number; rejected: number }[],
) =>
  all.map(({ operation, accepted, rejected }, index): FinishedStep => ({
    operation,
    accepted,
    sent: accepted + rejected,
    firstMpid: String(3 * index),
    lastMpid: String(3 * index + 2),
    batchId: `batch-${index}`,
    cursorAfter: { operation, afterMpid: String(3 * index + 2) },
    exceptions: Array.from({ length: rejected }, (_, at) => ({
      mpid: String(3 * index + at),
      status: 'rejected',
      code: 'NO',
      message: 'No.',
    })),
  }));

describe('the rows of batches', () => {
  it('are one for those that were accepted whole one after another, and one each for all others', () => {
    fc.assert(
      fc.property(fc.array(anyStep, { maxLength: 12 }), fc.integer({ min: 1, max: 99 }), (all, position) => {
        const steps = stepsOf(all);
        const rows = rowsOfSteps(position, steps);
        let at = 0;
        for (const row of rows) {
          const own = steps.slice(at, at + row.batches);
          expect(row).toMatchObject({
            position: position + at,
            operation: own[0]?.operation,
            batch_id: own[0]?.batchId,
            first_mpid: own[0]?.firstMpid,
            last_mpid: own.at(-1)?.lastMpid,
            accepted: own.reduce((sum, { accepted }) => sum + accepted, 0),
            exceptions: own.flatMap(({ exceptions }) => exceptions),
          });
          expect(new Set(own.map(({ operation }) => operation)).size).toBe(1);
          if (row.batches > 1) expect(row.exceptions).toEqual([]);
          at += row.batches;
        }
        expect(at).toBe(steps.length);
        expect(sumOf(rows, 'rejected')).toBe(all.reduce((sum, { rejected }) => sum + rejected, 0));
        for (const [index, row] of rows.entries()) {
          const next = rows[index + 1];
          const isApart =
            !next || row.operation !== next.operation || row.exceptions.length + next.exceptions.length > 0;
          expect(isApart).toBe(true);
        }
      }),
      { numRuns: 200 },
    );
  });
});
