import { afterEach, describe, expect, it } from '@jest/globals';
import {
  DONE,
  members,
  partner,
  REQUEST,
  SHIPMENT,
  stopPartners,
} from '../../../test/support/partner-line.js';
import { ConnectorError, fault, type BatchResult } from '../../kit/index.js';
import { MemoryBudgetStore } from '../../platform/budget/index.js';
import { silentLogger } from '../../platform/log/index.js';
import { MemberList, PartnerCalls, RateBudget, sendBatch, Turn, type PartnerLine } from './index.js';

afterEach(stopPartners);

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
    await expect(sendBatch(calls, SHIPMENT, MemberList.of(members(2)))).rejects.toMatchObject({
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
    const { rejected } = await sendBatch(calls, SHIPMENT, MemberList.of(members(2)));
    expect([polls, rejected.map(({ index }) => index)]).toEqual([3, [1]]);
  });

  it.each([
    ['more than the batch has', { count: 2, code: 'X', message: '' }],
    ['nobody', { count: 0, code: 'X', message: '' }],
  ])('does not believe a plugin that tells of unnamed rejects of %s', async (_, one) => {
    const rejected = [{ index: 0, code: 'X', message: '' }];
    const { calls } = partner(() => ({ status: 'done', rejected, unnamed: [one] }));
    await expect(sendBatch(calls, SHIPMENT, MemberList.of(members(2)))).rejects.toMatchObject({
      code: 'INVALID_BATCH_RESULT',
    });
  });

  it('gives up a job that nobody writes down and that never ends', async () => {
    const pending: BatchResult = { status: 'pending', jobId: 'job-1', pollAfterMs: 0 };
    const { calls } = partner(
      () => pending,
      async () => pending,
    );
    await expect(sendBatch(calls, SHIPMENT, MemberList.of(members(2)))).rejects.toMatchObject({
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
    await expect(sendBatch(calls, SHIPMENT, MemberList.of(members(1)))).rejects.toMatchObject({
      code: 'CALL_TIMEOUT',
    });
    expect(told?.aborted).toBe(true);
  });

  it("counts every request of a call, and the wait for one not as the call's time", async () => {
    // Two requests fit into a window that is longer than a call may take.
    const limit = { requests: 2, perSeconds: 0.15 };
    const budget = new RateBudget(new MemoryBudgetStore(), 'account', limit);
    const went: number[] = [];
    const { calls } = partner(
      async (_, __, http) => {
        for (let request = 0; request < 5; request += 1) {
          await http.request(REQUEST);
          went.push(performance.now());
        }
        return DONE;
      },
      undefined,
      budget,
    );
    const beganMs = performance.now();
    await sendBatch(calls, SHIPMENT, MemberList.of(members(1)));
    // From the beginning: a request is noted at some time after it was let go. The budget counts whole milliseconds.
    for (const [index, moment] of went.entries()) {
      expect(moment - beganMs).toBeGreaterThanOrEqual(Math.floor(index / 2) * (150 - 1));
    }
    expect(went).toHaveLength(5);
  });

  it('asks a partner that answered 429 for nothing before it wants to be asked again', async () => {
    const budget = new RateBudget(new MemoryBudgetStore(() => 0), 'account', undefined);
    const busy = partner(
      () => {
        throw fault.rateLimited('HTTP_429', 'Slower.', 600_000);
      },
      undefined,
      budget,
    );
    const other = partner(() => DONE, undefined, budget);
    const list = MemberList.of(members(1));
    await expect(sendBatch(busy.calls, SHIPMENT, list)).rejects.toMatchObject({ code: 'HTTP_429' });
    for (const { calls } of [busy, other]) {
      await expect(sendBatch(calls, SHIPMENT, list)).rejects.toMatchObject({
        code: 'PARTNER_PAUSED',
        retryAfterMs: 600_000,
      });
    }
    expect([busy.batches.length, other.batches.length]).toEqual([1, 0]);
  });

  it('ends with the reason of the signal that stops it', async () => {
    const reason = new Error('shutting down');
    const { calls, stop } = partner(() => new Promise<BatchResult>(() => undefined));
    const sending = sendBatch(calls, SHIPMENT, MemberList.of(members(1)));
    stop.abort(reason);
    await expect(sending).rejects.toBe(reason);
  });

  it('keeps secrets and quoted values out of what it throws', async () => {
    const told = partner(() => {
      throw fault.auth('TOKEN_REVOKED', 'Refused s3cr3t/value (s3cr3t%2Fvalue).');
    });
    await expect(sendBatch(told.calls, SHIPMENT, MemberList.of(members(1)))).rejects.toMatchObject({
      message: 'Refused [redacted] ([redacted]).',
    });
    const crashed = partner(() => {
      throw new TypeError('cannot read p0@example.com');
    });
    const error: unknown = await sendBatch(crashed.calls, SHIPMENT, MemberList.of(members(1))).catch(
      (thrown: unknown) => thrown,
    );
    expect(error).toBeInstanceOf(ConnectorError);
    expect(error).toMatchObject({ kind: 'unexpected', message: expect.not.stringContaining('example.com') });
  });

  describe('which are only the holder’s of a lease', () => {
    /** Calls of a process whose lease is lost the moment somebody asks, and what the partner was asked for. */
    function losing(add: Parameters<typeof partner>[0]) {
      const { calls, stop, batches } = partner(add);
      let requests = 0;
      const line: PartnerLine = {
        ...calls.line,
        context: (signal) => ({
          ...calls.line.context(signal),
          http: {
            request: () => {
              requests += 1;
              return Promise.reject(new Error('not to be reached'));
            },
          },
        }),
      };
      const lost = new Error('lost');
      let isLost = false;
      const confirm = () => {
        if (!isLost) return undefined;
        stop.abort(lost);
        return Promise.reject(lost);
      };
      const own = new PartnerCalls(line, stop.signal, silentLogger(), { confirm });
      const lose = () => {
        isLost = true;
      };
      return { calls: own, lose, requests: () => requests, batches };
    }

    it('are not begun once that is lost', async () => {
      const { calls, lose, batches } = losing(() => DONE);
      lose();
      await expect(sendBatch(calls, SHIPMENT, MemberList.of(members(1)))).rejects.toThrow('lost');
      expect(batches).toEqual([]);
    });

    it('make no request that was ready before, whatever the plugin makes of it', async () => {
      const { calls, lose, requests } = losing(async (_, __, http) => {
        await http.request(REQUEST).catch(() => {
          throw fault.retryable('OWN', 'Something went wrong.');
        });
        return DONE;
      });
      const turn = new Turn();
      const sent = sendBatch(calls, { ...SHIPMENT, turn }, MemberList.of(members(1)));
      await new Promise(setImmediate);
      lose();
      turn.comes();
      await expect(sent).rejects.toThrow('lost');
      expect(requests()).toBe(0);
    });
  });
});
