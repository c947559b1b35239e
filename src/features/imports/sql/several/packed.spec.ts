import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { temporaryWarehouse } from '../../../../../test/support/warehouse.js';
import type { Warehouse } from '../../../../platform/warehouse/index.js';
import {
  LABEL,
  labelHash,
  labelMpid,
  labelPriority,
  labelRank,
  STRENGTH,
  strengthHash,
  strengthPriority,
} from './packed.js';

let warehouse: Warehouse;
let close: () => Promise<void>;

beforeAll(async () => {
  ({ warehouse, close } = await temporaryWarehouse());
});
afterAll(() => close());

const anyLabel = fc.record({
  rank: fc.constantFrom(0, 1),
  priority: fc.integer({ min: 0, max: 255 }),
  hash: fc.oneof(fc.bigInt({ min: 0n, max: 2n ** 128n - 1n }), fc.constantFrom(0n, 2n ** 128n - 1n)),
  mpid: fc.oneof(
    fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
    fc.constantFrom(-(2n ** 63n), -1n, 0n, 2n ** 63n - 1n),
  ),
});

interface Unpacked {
  rank: number;
  priority: number;
  hash: string;
  mpid: string;
  strength_priority: number;
  strength_hash: string;
}

describe('what rows and identities are compared by', () => {
  it('is a number from which its parts are had again, and numbers are in the order of the parts', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(anyLabel, { minLength: 1, maxLength: 50 }), async (labels) => {
        const rows = labels.map(
          ({ rank, priority, hash, mpid }) =>
            `(toUInt8(${rank}), toUInt8(${priority}), toUInt128('${hash}'), toInt64('${mpid}'))`,
        );
        const parts = `SELECT l.1 AS rank, l.2 AS priority, l.3 AS hash, l.4 AS mpid FROM (SELECT arrayJoin([${rows.join(', ')}]) AS l)`;
        const unpacked = await warehouse.query<Unpacked>(
          `SELECT ${labelRank('packed')} AS rank, ${labelPriority('packed')} AS priority, toString(${labelHash('packed')}) AS hash,
             toString(${labelMpid('packed')}) AS mpid, ${strengthPriority('strength')} AS strength_priority,
             toString(${strengthHash('strength')}) AS strength_hash
           FROM (SELECT ${LABEL} AS packed, ${STRENGTH} AS strength FROM (${parts})) ORDER BY packed`,
        );
        const inOrder = [...labels].sort(
          (one, other) =>
            one.rank - other.rank ||
            one.priority - other.priority ||
            compare(one.hash, other.hash) ||
            compare(one.mpid, other.mpid),
        );
        expect(unpacked).toEqual(
          inOrder.map(({ rank, priority, hash, mpid }) => ({
            rank,
            priority,
            hash: `${hash}`,
            mpid: `${mpid}`,
            strength_priority: priority,
            strength_hash: `${hash}`,
          })),
        );
      }),
      { numRuns: 30 },
    );
  });
});

const compare = (one: bigint, other: bigint): number => (one < other ? -1 : one > other ? 1 : 0);
