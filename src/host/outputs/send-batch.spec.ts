import { afterEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { z } from 'zod';
import {
  ConnectorError,
  defineOutput,
  fault,
  type Batch,
  type BatchResult,
  type OutputMember,
} from '../../kit/index.js';
import { silentLogger } from '../../platform/log/index.js';
import { PartnerCalls, sendBatch, type CallPacing, type PartnerLine } from './index.js';

const PACING: CallPacing = { callTimeoutMs: 100, pollLimitMs: 200, minPollMs: 1, maxPollMs: 5 };
const SHIPMENT = {
  audience: { externalId: 'list-1', name: 'Spring buyers' },
  operation: 'add',
  fromVersion: 3,
  toVersion: 4,
} as const;

const members = (count: number): OutputMember[] =>
  Array.from({ length: count }, (_, index) => ({
    mpid: String(index),
    identities: { email: [`p${index}@example.com`] },
  }));

const stops: AbortController[] = [];
afterEach(() => stops.splice(0).forEach((stop) => stop.abort()));

/** A partner in a few lines, behind real calls. */
function partner(
  add: (batch: Batch, signal: AbortSignal) => Promise<BatchResult> | BatchResult,
  poll?: () => Promise<BatchResult>,
) {
  const batches: Batch[] = [];
  const connector = defineOutput({
    id: 'acme-ads',
    name: 'Acme',
    description: 'For this spec.',
    version: '1.0.0',
    settings: z.object({}),
    credentials: z.object({}),
    connectionSettings: z.object({}),
    identities: [{ type: 'email', encoding: 'raw' }],
    limits: { batchSize: 1000 },
    check: async () => undefined,
    audience: {
      async add(ctx, _, batch) {
        batches.push(batch);
        return add(batch, ctx.signal);
      },
      ...(poll ? { poll } : {}),
    },
  });
  const stop = new AbortController();
  stops.push(stop);
  const line: PartnerLine = {
    connectionId: 'connection-1',
    connector,
    limits: connector.limits,
    secrets: ['s3cr3t/value'],
    context: (signal) => ({
      settings: {},
      credentials: {},
      connection: {},
      connectionId: 'connection-1',
      http: { request: () => Promise.reject(new Error('not used')) },
      destination: () => {
        throw new Error('not used');
      },
      log: { info: () => undefined, warn: () => undefined },
      signal,
      now: () => new Date(0),
    }),
  };
  return { batches, stop, calls: new PartnerCalls(line, stop.signal, silentLogger(), PACING) };
}

const DONE: BatchResult = { status: 'done', rejected: [] };
const refuse = () => fault.permanent('BAD_ROW', 'A row is not valid.');

/** Refuses every batch that holds one of `bad`. */
const refusing = (bad: ReadonlySet<string>) =>
  partner((batch) => {
    if (batch.members.some(({ mpid }) => bad.has(mpid))) throw refuse();
    return DONE;
  });

describe('sendBatch', () => {
  it('finds the refused members, and only them, whichever they are', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 300 }),
        fc.uniqueArray(fc.nat({ max: 299 }), { maxLength: 8 }),
        async (count, picks) => {
          const bad = [...new Set(picks.map((pick) => pick % count))].sort((a, b) => a - b);
          const { calls } = refusing(new Set(bad.map(String)));
          const { rejected } = await sendBatch(calls, SHIPMENT, members(count));
          expect(rejected.map(({ index }) => index)).toEqual(bad);
        },
      ),
      { numRuns: 60 },
    );
  });

  it.each([2, 3, 7, 64, 999, 1000])('needs few calls for one bad member of %i', async (count) => {
    for (const bad of [0, Math.floor(count / 2), count - 1]) {
      const { calls, batches } = refusing(new Set([String(bad)]));
      const { extraCalls } = await sendBatch(calls, SHIPMENT, members(count));
      expect(extraCalls).toBeLessThanOrEqual(2 * Math.ceil(Math.log2(count)) + 1);
      expect(batches.length).toBe(extraCalls + 1);
    }
  });

  it('does not ask member by member a partner that refuses everything', async () => {
    const all = members(1000);
    const { calls, batches } = refusing(new Set(all.map(({ mpid }) => mpid)));
    const { rejected } = await sendBatch(calls, SHIPMENT, all);
    expect(rejected.length).toBe(1000);
    expect(batches.length).toBeLessThan(60);
  });

  it('gives every part an id of its own, and the same one the next time', async () => {
    const first = refusing(new Set(['5']));
    const second = refusing(new Set(['5']));
    await sendBatch(first.calls, SHIPMENT, members(20));
    await sendBatch(second.calls, SHIPMENT, members(20));
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
    const { rejected } = await sendBatch(calls, SHIPMENT, members(20));
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
    const { rejected } = await sendBatch(calls, SHIPMENT, members(3));
    expect(rejected).toEqual([{ index: 1, code: 'BAD', message: '[redacted] is not known' }]);
  });

  it('leaves a batch whole where the failure is not the data’s', async () => {
    const { calls, batches } = partner(() => {
      throw fault.auth('TOKEN_REVOKED', 'Reconnect.');
    });
    await expect(sendBatch(calls, SHIPMENT, members(20))).rejects.toMatchObject({ kind: 'auth' });
    expect(batches.length).toBe(1);
  });
});

describe('PartnerCalls', () => {
  it.each([
    ['past the batch', [{ index: 2, code: 'X', message: '' }]],
    ['below zero', [{ index: -1, code: 'X', message: '' }]],
    ['no whole number', [{ index: 0.5, code: 'X', message: '' }]],
    [
      'there twice',
      [
        { index: 0, code: 'X', message: '' },
        { index: 0, code: 'Y', message: '' },
      ],
    ],
  ])('does not believe a plugin whose rejected index is %s', async (_, rejected) => {
    const { calls } = partner(() => ({ status: 'done', rejected }));
    await expect(sendBatch(calls, SHIPMENT, members(2))).rejects.toMatchObject({
      kind: 'unexpected',
      code: 'INVALID_BATCH_RESULT',
    });
  });

  it('waits for a job of the partner', async () => {
    let polls = 0;
    const pending: BatchResult = { status: 'pending', jobId: 'job-1', pollAfterMs: 0 };
    const { calls } = partner(
      () => pending,
      async () => {
        polls += 1;
        return polls < 3 ? pending : { status: 'done', rejected: [{ index: 1, code: 'X', message: '' }] };
      },
    );
    const { rejected } = await sendBatch(calls, SHIPMENT, members(2));
    expect([polls, rejected.map(({ index }) => index)]).toEqual([3, [1]]);
  });

  it('gives up a job that never ends', async () => {
    const pending: BatchResult = { status: 'pending', jobId: 'job-1', pollAfterMs: 0 };
    const { calls } = partner(
      () => pending,
      async () => pending,
    );
    await expect(sendBatch(calls, SHIPMENT, members(2))).rejects.toMatchObject({
      kind: 'retryable',
      code: 'STILL_PENDING',
    });
  });

  it('ends a call that takes too long, also of a plugin that ignores its signal', async () => {
    let told: AbortSignal | undefined;
    const { calls } = partner((_, signal) => {
      told = signal;
      return new Promise<BatchResult>(() => undefined);
    });
    await expect(sendBatch(calls, SHIPMENT, members(1))).rejects.toMatchObject({ code: 'CALL_TIMEOUT' });
    expect(told?.aborted).toBe(true);
  });

  it('ends with the reason of the signal that stops it', async () => {
    const reason = new Error('shutting down');
    const { calls, stop } = partner(() => new Promise<BatchResult>(() => undefined));
    const sending = sendBatch(calls, SHIPMENT, members(1));
    stop.abort(reason);
    await expect(sending).rejects.toBe(reason);
  });

  it('keeps secrets and quoted values out of what it throws', async () => {
    const told = partner(() => {
      throw fault.auth('TOKEN_REVOKED', 'Refused s3cr3t/value (s3cr3t%2Fvalue).');
    });
    await expect(sendBatch(told.calls, SHIPMENT, members(1))).rejects.toMatchObject({
      message: 'Refused [redacted] ([redacted]).',
    });
    const crashed = partner(() => {
      throw new TypeError('cannot read p0@example.com');
    });
    const error: unknown = await sendBatch(crashed.calls, SHIPMENT, members(1)).catch(
      (thrown: unknown) => thrown,
    );
    expect(error).toBeInstanceOf(ConnectorError);
    expect(error).toMatchObject({ kind: 'unexpected', message: expect.not.stringContaining('example.com') });
  });
});
