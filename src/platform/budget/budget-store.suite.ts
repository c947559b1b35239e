import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import type { BudgetStore } from './budget-store.js';

/** Stores over the same state, as two processes have them. */
export interface OpenStores {
  one: BudgetStore;
  other: BudgetStore;
  close(): Promise<void>;
}

/** What holds of budgets wherever they are kept. */
export function describeBudgetStore(open: () => Promise<OpenStores>): void {
  let stores: OpenStores;
  beforeAll(async () => {
    stores = await open();
  });
  afterAll(() => stores?.close());

  it('grants no more than the limit to all who ask at once', async () => {
    const key = randomUUID();
    const limit = { requests: 7, perSeconds: 60 };
    const asked = Array.from({ length: 24 }, (_, index) =>
      (index % 2 === 0 ? stores.one : stores.other).ask(key, limit),
    );
    const answers = await Promise.all(asked);
    expect(answers.filter(({ granted }) => granted)).toHaveLength(7);
    for (const answer of answers) {
      if (answer.granted) continue;
      expect(answer.paused).toBe(false);
      expect(answer.waitMs).toBeGreaterThan(50_000);
      expect(answer.waitMs).toBeLessThanOrEqual(63_000);
    }
    expect(await stores.one.ask(randomUUID(), limit)).toEqual({ granted: true });
  });

  it('grants again what it made wait, as soon as it said', async () => {
    const key = randomUUID();
    const limit = { requests: 2, perSeconds: 0.1 };
    const beganMs = performance.now();
    const went: number[] = [];
    while (went.length < 7) {
      const answer = await stores.one.ask(key, limit);
      if (answer.granted) went.push(performance.now());
      else await new Promise((resolve) => setTimeout(resolve, answer.waitMs));
    }
    // From the beginning: an answer is heard at some time after it was given. Stores count milliseconds.
    for (const [index, moment] of went.entries()) {
      expect(moment - beganMs).toBeGreaterThanOrEqual(Math.floor(index / 2) * (100 - 1));
    }
  });

  it('tells everybody of a pause, also who has no limit', async () => {
    const key = randomUUID();
    expect(await stores.other.ask(key, undefined)).toEqual({ granted: true });
    await stores.one.pause(key, 40_000);
    await stores.one.pause(key, 1000);
    for (const limit of [undefined, { requests: 7, perSeconds: 60 }]) {
      const answer = await stores.other.ask(key, limit);
      expect(answer).toMatchObject({ granted: false, paused: true });
      if (!answer.granted) expect(Math.round(answer.waitMs / 10_000)).toBe(4);
    }
  });
}
