import { afterEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  members,
  partner,
  refuse,
  refusing,
  SHIPMENT,
  stopPartners,
} from '../../../test/support/partner-line.js';
import { fault } from '../../kit/index.js';
import { MemberList, sendBatch } from './index.js';

afterEach(stopPartners);

describe('sendBatch', () => {
  it('finds the refused members, and only them, whichever they are', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 300 }),
        fc.uniqueArray(fc.nat({ max: 299 }), { maxLength: 8 }),
        async (count, picks) => {
          const bad = [...new Set(picks.map((pick) => pick % count))].sort((a, b) => a - b);
          const { calls } = refusing((index) => bad.includes(index));
          const { rejected } = await sendBatch(calls, SHIPMENT, MemberList.of(members(count)));
          expect(rejected.map(({ index }) => index)).toEqual(bad);
        },
      ),
      { numRuns: 60 },
    );
  });

  it.each([2, 3, 7, 64, 999, 1000])('needs few calls for one bad member of %i', async (count) => {
    for (const bad of [0, Math.floor(count / 2), count - 1]) {
      const { calls, batches } = refusing((index) => index === bad);
      const { extraCalls } = await sendBatch(calls, SHIPMENT, MemberList.of(members(count)));
      expect(extraCalls).toBeLessThanOrEqual(2 * Math.ceil(Math.log2(count)) + 1);
      expect(batches.length).toBe(extraCalls + 1);
    }
  });

  it('needs few calls for one bad member of any number, and so many a bad member for several', async () => {
    const batches = fc.integer({ min: 1, max: 600 }).chain((count) =>
      fc.record({
        count: fc.constant(count),
        bad: fc.uniqueArray(fc.nat({ max: count - 1 }), { minLength: 1, maxLength: Math.min(count, 40) }),
      }),
    );
    await fc.assert(
      fc.asyncProperty(batches, async ({ count, bad }) => {
        const { calls } = refusing((index) => bad.includes(index));
        const { extraCalls, rejected } = await sendBatch(calls, SHIPMENT, MemberList.of(members(count)));
        const samples = bad.length >= 16 ? 16 : 0;
        expect(extraCalls).toBeLessThanOrEqual(2 * bad.length * Math.ceil(Math.log2(count)) + 1 + samples);
        const indexes = new Set(rejected.map(({ index }) => index));
        expect(bad.filter((index) => !indexes.has(index))).toEqual([]);
        if (bad.length < 16) expect(indexes.size).toBe(bad.length);
      }),
      { numRuns: 100 },
    );
  });

  it('does not ask member by member a partner that refuses everything', async () => {
    const all = members(1000);
    const { calls, batches } = refusing(() => true);
    const { rejected } = await sendBatch(calls, SHIPMENT, MemberList.of(all));
    expect(rejected.length).toBe(1000);
    expect(batches.length).toBeLessThan(60);
  });

  it('gives every part an id of its own, and the same one the next time', async () => {
    const first = refusing((index) => index === 5);
    const second = refusing((index) => index === 5);
    await sendBatch(first.calls, SHIPMENT, MemberList.of(members(20)));
    await sendBatch(second.calls, SHIPMENT, MemberList.of(members(20)));
    const ids = first.batches.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    expect(second.batches.map(({ id }) => id)).toEqual(ids);
  });

  it('adds the rejects that a partner names itself to those it refused', async () => {
    const { calls } = partner((batch) => {
      if (batch.members.some(({ mpid }) => mpid === '3')) throw refuse();
      const index = batch.members.findIndex(({ mpid }) => mpid === '17');
      return { status: 'done', rejected: index < 0 ? [] : [{ index, code: 'OPTED_OUT', message: 'No' }] };
    });
    const { rejected } = await sendBatch(calls, SHIPMENT, MemberList.of(members(20)));
    expect(rejected.map(({ index, code }) => [index, code])).toEqual([
      [3, 'BAD_ROW'],
      [17, 'OPTED_OUT'],
    ]);
  });

  it('takes the identities that a partner quotes out of the outcome', async () => {
    const { calls } = partner(() => ({
      status: 'done',
      rejected: [{ index: 1, code: 'BAD', message: 'p1@example.com is not known' }],
    }));
    const { rejected } = await sendBatch(calls, SHIPMENT, MemberList.of(members(3)));
    expect(rejected).toEqual([{ index: 1, code: 'BAD', message: '[redacted] is not known' }]);
  });

  it('leaves a batch whole where the failure is not the data’s', async () => {
    const { calls, batches } = partner(() => {
      throw fault.auth('TOKEN_REVOKED', 'Reconnect.');
    });
    await expect(sendBatch(calls, SHIPMENT, MemberList.of(members(20)))).rejects.toMatchObject({
      kind: 'auth',
    });
    expect(batches.length).toBe(1);
  });
});
