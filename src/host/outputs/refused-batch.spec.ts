import { afterEach, describe, expect, it } from '@jest/globals';
import {
  DONE,
  members,
  PACING,
  partner,
  refuse,
  refusing,
  SHIPMENT,
  stopPartners,
} from '../../../test/support/partner-line.js';
import type { Batch, BatchResult } from '../../kit/index.js';
import { silentLogger } from '../../platform/log/index.js';
import { MemberList, PartnerCalls, sendBatch } from './index.js';

afterEach(stopPartners);

const upTo = (count: number) => Array.from({ length: count }, (_, index) => index);

/** Indexes that are rejected of a batch of `count`. */
async function rejectedOf(count: number, isBad: (index: number) => boolean): Promise<number[]> {
  const { rejected } = await sendBatch(refusing(isBad).calls, SHIPMENT, MemberList.of(members(count)));
  return rejected.map(({ index }) => index);
}

describe('a batch that is refused through and through', () => {
  it('is refused after one member of each of sixteen parts, all for the reason that the partner gave', async () => {
    const { calls, batches } = refusing(() => true);
    const { rejected } = await sendBatch(calls, SHIPMENT, MemberList.of(members(1000)));
    const { code, message } = refuse();
    expect(rejected).toEqual(upTo(1000).map((index) => ({ index, code, message })));
    expect(batches.slice(15).map(({ size }) => size)).toEqual(upTo(16).map(() => 1));
  });

  it('is refused as soon where the partner names those who are asked about alone', async () => {
    const { calls, batches } = partner((batch) => {
      if (batch.size > 1) throw refuse();
      return { status: 'done', rejected: [{ index: 0, code: 'UNKNOWN', message: 'Nobody.' }] };
    });
    const { rejected } = await sendBatch(calls, SHIPMENT, MemberList.of(members(1000)));
    expect([rejected.length, batches.length]).toEqual([1000, 31]);
  });

  it('is asked about member by member where one of those is taken', async () => {
    const first = refusing(() => true);
    await sendBatch(first.calls, SHIPMENT, MemberList.of(members(1000)));
    const taken = Number(first.batches.at(-1)?.members[0]?.mpid);
    expect(await rejectedOf(1000, (index) => index !== taken)).toEqual(
      upTo(1000).filter((index) => index !== taken),
    );
  });

  it('is asked about member by member where parts of it are single members', async () => {
    expect(await rejectedOf(20, (index) => index > 0)).toEqual(upTo(20).slice(1));
  });

  it('is not judged by samples where some of it was taken before', async () => {
    // Of the second half, in parts of four, those who would be asked about.
    const isBad = (index: number) => index >= 64 && index % 4 === 2;
    expect(await rejectedOf(128, isBad)).toEqual(upTo(128).filter(isBad));
  });
});

describe('a batch', () => {
  it('tells how many were refused without a name, and no secrets', async () => {
    const { calls } = partner(() => ({
      status: 'done',
      rejected: [],
      unnamed: [{ count: 2, code: 'OF_s3cr3t/value', message: 'Not with s3cr3t/value.' }],
    }));
    const { rejected, unnamed } = await sendBatch(calls, SHIPMENT, MemberList.of(members(3)));
    expect(rejected).toEqual([]);
    expect(unnamed).toEqual([{ count: 2, code: 'OF_[redacted]', message: 'Not with [redacted].' }]);
  });

  it('of removals goes to what removes, and to nothing else', async () => {
    const { calls, stop, batches } = partner(() => DONE);
    const { line } = calls;
    const removed: Batch[] = [];
    const remove = async (_: unknown, __: unknown, batch: Batch): Promise<BatchResult> => {
      removed.push(batch);
      return DONE;
    };
    const audience = { ...line.connector.audience, remove };
    const removing = new PartnerCalls(
      { ...line, connector: { ...line.connector, audience } },
      stop.signal,
      silentLogger(),
      { pacing: PACING },
    );
    const removals = { ...SHIPMENT, operation: 'remove' } as const;
    await sendBatch(removing, removals, MemberList.of(members(2)));
    expect([removed.map(({ size }) => size), batches]).toEqual([[2], []]);
    await expect(sendBatch(calls, removals, MemberList.of(members(2)))).rejects.toMatchObject({
      kind: 'unexpected',
    });
    expect(batches).toEqual([]);
  });
});
