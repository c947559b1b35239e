import { getEventListeners } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from '@jest/globals';
import {
  DONE,
  members,
  PACING,
  partner,
  PENDING,
  refuse,
  REQUEST,
  SHIPMENT,
  stopPartners,
} from '../../../test/support/partner-line.js';
import { fault, type BatchResult } from '../../kit/index.js';
import { MemoryBudgetStore } from '../../platform/budget/index.js';
import { createLogger, silentLogger } from '../../platform/log/index.js';
import { afterSending, MemberList, PartnerCalls, RateBudget, sendBatch, Turn } from './index.js';

afterEach(stopPartners);

const two = () => MemberList.of(members(2));

describe('the requests of a call', () => {
  it.each([
    [0, 1],
    [1, 1],
    [3, 3],
  ])('that are %i take %i of the budget, a batch or not', async (requests, taken) => {
    let asked = 0;
    const store = new MemoryBudgetStore();
    const ask = store.ask.bind(store);
    store.ask = (...given) => {
      asked += 1;
      return ask(...given);
    };
    const budget = new RateBudget(store, 'account', { requests: 99, perSeconds: 1 });
    const { calls } = partner(() => DONE, undefined, budget);
    await calls.call(async ({ http }) => {
      for (let request = 0; request < requests; request += 1) await http.request(REQUEST);
    });
    expect(asked).toBe(taken);
  });

  it('that fail pause nobody, but for those that came too fast', async () => {
    const store = new MemoryBudgetStore(() => 0);
    const pauses: number[] = [];
    const pause = store.pause.bind(store);
    store.pause = (key, pauseMs) => {
      pauses.push(pauseMs);
      return pause(key, pauseMs);
    };
    const budget = new RateBudget(store, 'account', { requests: 99, perSeconds: 1 });
    const errors = [fault.auth('TOKEN_REVOKED', 'No.'), fault.rateLimited('HTTP_429', 'Slower.', 600_000)];
    for (const error of errors) {
      const { calls } = partner(
        async () => {
          throw error;
        },
        undefined,
        budget,
      );
      await expect(sendBatch(calls, SHIPMENT, two())).rejects.toMatchObject({ code: error.code });
    }
    expect(pauses).toEqual([600_000]);
  });

  it('that meet a pause of the partner do not make it longer', async () => {
    const store = new MemoryBudgetStore(() => 0);
    const budget = new RateBudget(store, 'account', { requests: 99, perSeconds: 1 });
    let pauses = 0;
    const { calls } = partner(
      async (_, __, http) => {
        await budget.pause(600_000);
        store.pause = async () => void (pauses += 1);
        await http.request(REQUEST);
        await http.request(REQUEST);
        return DONE;
      },
      undefined,
      budget,
    );
    await expect(sendBatch(calls, SHIPMENT, two())).rejects.toMatchObject({ code: 'PARTNER_PAUSED' });
    expect(pauses).toBe(0);
  });

  it('hear of the end by one listener, however many they were', async () => {
    const { calls, stop } = partner(() => DONE);
    for (let batch = 0; batch < 3; batch += 1) await sendBatch(calls, SHIPMENT, two());
    expect(getEventListeners(stop.signal, 'abort')).toHaveLength(1);
  });
});

describe('a job that nobody writes down', () => {
  it('is given up for what its partner says where it comes to nothing', async () => {
    const because = fault.config('NO_CONSENT', 'Consent is missing.');
    const { calls } = partner(
      () => PENDING,
      async () => ({ status: 'again', because }),
    );
    await expect(sendBatch(calls, SHIPMENT, two())).rejects.toMatchObject({ code: 'NO_CONSENT' });
  });

  it('is taken apart where it is refused', async () => {
    const { calls } = partner(
      ({ size }) => (size > 1 ? PENDING : DONE),
      async () => {
        throw refuse();
      },
    );
    expect(await sendBatch(calls, SHIPMENT, two())).toMatchObject({ rejected: [], extraCalls: 2 });
  });

  it('is waited for where the partner wants the longest pause that a worker waits', async () => {
    const { calls } = partner(
      () => ({ ...PENDING, pollAfterMs: PACING.maxPollMs }),
      async () => DONE,
    );
    expect(await sendBatch(calls, SHIPMENT, two())).toMatchObject({ rejected: [] });
  });

  it.each([
    [0, 20],
    [40, 40],
  ])('is left alone for %i ms where its partner wants that, or longer', async (pollAfterMs, leastMs) => {
    const moments: number[] = [];
    const { calls, stop } = partner(
      () => {
        moments.push(performance.now());
        return { ...PENDING, pollAfterMs };
      },
      async () => {
        moments.push(performance.now());
        return DONE;
      },
    );
    const pacing = { ...PACING, minPollMs: 20, maxPollMs: 60 };
    await sendBatch(new PartnerCalls(calls.line, stop.signal, silentLogger(), { pacing }), SHIPMENT, two());
    // Timers count whole milliseconds.
    expect((moments[1] ?? 0) - (moments[0] ?? 0)).toBeGreaterThanOrEqual(leastMs - 1);
  });

  it('is left at once, with the reason of the signal, by whoever waits to ask for it', async () => {
    const reason = new Error('shutting down');
    const { calls, stop } = partner(() => {
      setImmediate(() => stop.abort(reason));
      return PENDING;
    });
    const pacing = { ...PACING, minPollMs: 3000 };
    const patient = new PartnerCalls(calls.line, stop.signal, silentLogger(), { pacing });
    const begunMs = performance.now();
    await expect(sendBatch(patient, SHIPMENT, two())).rejects.toBe(reason);
    expect(performance.now() - begunMs).toBeLessThan(3000 - 1);
  });
});

describe('what is told of calls', () => {
  it('is how many seconds or hours they may take', async () => {
    const slow = partner(() => new Promise<BatchResult>(() => undefined));
    await expect(sendBatch(slow.calls, SHIPMENT, two())).rejects.toThrow('within 0.1 seconds');
    const { calls, stop } = partner(() => ({ ...PENDING, pollAfterMs: 6 }));
    const pacing = { ...PACING, jobLimitMs: 2 * 3_600_000 };
    const limited = new PartnerCalls(calls.line, stop.signal, silentLogger(), { pacing });
    await expect(sendBatch(limited, SHIPMENT, two())).rejects.toThrow('over 2 hours');
  });

  it.each([false, true])('is the seconds of a batch, from its turn on: begun ahead %j', async (isAhead) => {
    const turn = new Turn();
    const told: number[] = [];
    let insideMs = 0;
    const { calls, stop } = partner(async (_, __, http) => {
      await http.request(REQUEST);
      const begunMs = performance.now();
      await sleep(5);
      insideMs = performance.now() - begunMs;
      return DONE;
    });
    const observe = (_: string, seconds: number) => void told.push(seconds);
    const observed = new PartnerCalls(calls.line, stop.signal, silentLogger(), { pacing: PACING, observe });
    const beganMs = performance.now();
    const sent = sendBatch(observed, isAhead ? { ...SHIPMENT, turn } : SHIPMENT, two());
    await sleep(10);
    turn.comes();
    await sent;
    const outsideMs = performance.now() - (isAhead ? (turn.cameAtMs ?? 0) : beganMs);
    const [seconds = 0] = told;
    expect(seconds * 1000).toBeGreaterThanOrEqual(insideMs);
    expect(seconds * 1000).toBeLessThanOrEqual(outsideMs);
  });

  it('is where a plugin failed, for the log, and not what it failed on', async () => {
    const lines: string[] = [];
    const log = createLogger({
      level: 'info',
      format: 'json',
      destination: { write: (line) => lines.push(line) },
    });
    for (const thrown of [new TypeError('cannot read\np0@example.com'), 'p0@example.com', refuse()]) {
      const { calls, stop } = partner(() => Promise.reject(thrown));
      const logged = new PartnerCalls(calls.line, stop.signal, log, { pacing: PACING });
      await sendBatch(logged, SHIPMENT, MemberList.of(members(1))).catch(() => undefined);
    }
    const told = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(told).toMatchObject([
      { plugin: 'acme-ads', connectionId: 'connection-1', stack: expect.stringMatching(/^TypeError\n +at /) },
      { plugin: 'acme-ads', connectionId: 'connection-1', stack: 'string' },
    ]);
    expect(lines.join()).not.toContain('example.com');
  });
});

describe('what would hold up a request', () => {
  it('waits until the requests of this turn have left, where that is known', async () => {
    const steps: string[] = [];
    setImmediate(() => steps.push('turn'));
    await afterSending({});
    setImmediate(() => steps.push('next turn'));
    await afterSending({ written: async () => void steps.push('written') });
    expect(steps).toEqual(['turn', 'next turn', 'written']);
  });
});
