import { getEventListeners } from 'node:events';
import { setImmediate as turnOfLoop } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { MemoryBudgetStore } from '../../platform/budget/index.js';
import { RateBudget, RateBudgets } from './index.js';

const never = new AbortController().signal;

describe('RateBudget', () => {
  it('lets callers go in the order in which they came, and no more than the limit in its window', async () => {
    const limit = { requests: 3, perSeconds: 0.2 };
    const budget = new RateBudget(new MemoryBudgetStore(), 'account', limit);
    const went: [number, number][] = [];
    const take = async (caller: number) => {
      await budget.take(never);
      went.push([caller, performance.now()]);
    };
    const beganMs = performance.now();
    await Promise.all([0, 1, 2, 3, 4, 5, 6].map((caller) => take(caller)));
    expect(went.map(([caller]) => caller)).toEqual([0, 1, 2, 3, 4, 5, 6]);
    // From the beginning: a caller is noted at some time after it was let go. The store counts whole milliseconds.
    for (const [index, [, moment]] of went.entries()) {
      expect(moment - beganMs).toBeGreaterThanOrEqual(Math.floor(index / 3) * (200 - 1));
    }
  });

  it('stops waiting when it is told to, and lets the next one wait on', async () => {
    const budget = new RateBudget(new MemoryBudgetStore(), 'account', { requests: 1, perSeconds: 0.3 });
    const beganMs = performance.now();
    await budget.take(never);
    const stop = new AbortController();
    const [stopped, next] = [budget.take(stop.signal), budget.take(never)];
    stop.abort();
    await expect(stopped).rejects.toMatchObject({ name: 'AbortError' });
    await next;
    expect(performance.now() - beganMs).toBeGreaterThanOrEqual(300 - 1);
  });

  it('waits for the end of a short pause, and says how long a long one is', async () => {
    let nowMs = 0;
    const store = new MemoryBudgetStore(() => nowMs);
    const [budget, other] = [
      new RateBudget(store, 'account', undefined),
      new RateBudget(store, 'account', undefined),
    ];
    await budget.take(never);
    await budget.pause(60_000);
    for (const one of [budget, other]) {
      await expect(one.take(never)).rejects.toMatchObject({
        kind: 'rate_limited',
        code: 'PARTNER_PAUSED',
        retryAfterMs: 60_000,
        message: expect.stringContaining('60 more seconds'),
      });
    }
    nowMs = 59_990;
    const short = budget.take(never);
    nowMs = 60_000;
    await short;
  });

  it('waits for a pause of as long as its patience, and for its turn however long that is', async () => {
    let nowMs = 0;
    const store = new MemoryBudgetStore(() => nowMs);
    const ask = store.ask.bind(store);
    store.ask = async (...given) => {
      const answer = await ask(...given);
      if (!answer.granted) nowMs += answer.waitMs;
      return answer;
    };
    const rated = new RateBudget(store, 'account-1', { requests: 1, perSeconds: 0.1 }, 50);
    await rated.take(never);
    await rated.take(never);
    expect(nowMs).toBeGreaterThanOrEqual(100);
    const budget = new RateBudget(store, 'account-2', undefined, 50);
    await budget.pause(50);
    await budget.take(never);
    await budget.pause(51);
    await expect(budget.take(never)).rejects.toMatchObject({ code: 'PARTNER_PAUSED', retryAfterMs: 51 });
  });

  it('stops waiting behind others when it is told to, and keeps their order', async () => {
    const budget = new RateBudget(new MemoryBudgetStore(), 'account', { requests: 1, perSeconds: 0.2 });
    await budget.take(never);
    const went: number[] = [];
    const stop = new AbortController();
    const second = budget.take(never).then(() => went.push(2));
    const third = budget.take(stop.signal);
    const fourth = budget.take(never).then(() => went.push(4));
    stop.abort(new Error('enough'));
    await expect(third).rejects.toThrow('enough');
    expect(went).toEqual([]);
    await Promise.all([second, fourth]);
    expect(went).toEqual([2, 4]);
  });

  it('leaves nothing behind at a signal that lives on after many requests', async () => {
    const budget = new RateBudget(new MemoryBudgetStore(), 'account', { requests: 9, perSeconds: 1 });
    const { signal } = new AbortController();
    await Promise.all([1, 2, 3].map(() => budget.take(signal)));
    expect(getEventListeners(signal, 'abort')).toEqual([]);
  });

  it('lets nobody by when a caller between gives up, before those in front are through', async () => {
    const granted: (() => void)[] = [];
    const store = new MemoryBudgetStore();
    store.ask = () => new Promise((resolve) => granted.push(() => resolve({ granted: true })));
    const budget = new RateBudget(store, 'account', { requests: 9, perSeconds: 1 });
    const stop = new AbortController();
    const [first, given, last] = [budget.take(never), budget.take(stop.signal), budget.take(never)];
    stop.abort(new Error('enough'));
    await expect(given).rejects.toThrow('enough');
    await turnOfLoop();
    // Only the first one has asked, and has no answer yet.
    expect(granted).toHaveLength(1);
    granted[0]?.();
    await first;
    await turnOfLoop();
    expect(granted).toHaveLength(2);
    granted[1]?.();
    await last;
  });

  it('stops waiting for the end of a pause when it is told to', async () => {
    const store = new MemoryBudgetStore(() => 0);
    const budget = new RateBudget(store, 'account', undefined, 60_000);
    await budget.pause(30_000);
    const stop = new AbortController();
    const stopped = budget.take(stop.signal);
    setImmediate(() => stop.abort(new Error('enough')));
    await expect(stopped).rejects.toThrow();
    expect(stop.signal.aborted).toBe(true);
  });

  it('asks once a second at most where no rate was declared, and again after a pause', async () => {
    let asked = 0;
    const store = new MemoryBudgetStore(() => 0);
    const ask = store.ask.bind(store);
    store.ask = (...given) => {
      asked += 1;
      return ask(...given);
    };
    const budget = new RateBudget(store, 'account', undefined);
    for (let request = 0; request < 3; request += 1) await budget.take(never);
    expect(asked).toBe(1);
    await budget.pause(60_000);
    await expect(budget.take(never)).rejects.toMatchObject({ code: 'PARTNER_PAUSED' });
    expect(asked).toBe(2);
  });

  it('pauses for the declared window where the partner does not say for how long', async () => {
    const store = new MemoryBudgetStore(() => 0);
    const limit = { requests: 9, perSeconds: 30 };
    await new RateBudget(store, 'account', limit).pause(undefined);
    expect(await store.ask('account', limit)).toEqual({ granted: false, waitMs: 30_000, paused: true });
  });
});

describe('RateBudgets', () => {
  it('are one an account and limit, over what was granted to the account', async () => {
    const budgets = new RateBudgets(new MemoryBudgetStore(() => 0));
    const limit = { requests: 5, perSeconds: 1 };
    const first = budgets.of('account-1', limit);
    expect(budgets.of('account-1', { ...limit })).toBe(first);
    expect(budgets.of('account-2', limit)).not.toBe(first);
    expect(budgets.of('account-1', { requests: 6, perSeconds: 1 })).not.toBe(first);
    expect(budgets.of('account-1', undefined)).toBe(budgets.of('account-1', undefined));
  });
});
