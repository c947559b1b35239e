import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import Bull from 'bull';
import fc from 'fast-check';
import {
  temporaryPglite,
  temporaryPostgres,
  type TemporaryDatabase,
} from '../../../test/support/databases.js';
import { freeRedisPrefix } from '../../../test/support/redis.js';
import { describeWith } from '../../../test/support/services.js';
import { describeBudgetStore } from './budget-store.suite.js';
import { DatabaseBudgetStore, EmbeddedBudgetStore, MemoryBudgetStore, RedisBudgetStore } from './index.js';

describe('budgets in memory', () => {
  describeBudgetStore(async () => {
    const store = new MemoryBudgetStore();
    return { one: store, other: store, close: () => Promise.resolve() };
  });
});

describe('budgets of an embedded hub', () => {
  let database: TemporaryDatabase;
  beforeAll(async () => {
    database = await temporaryPglite();
  });
  afterAll(() => database?.close());
  const started = () => new EmbeddedBudgetStore(new DatabaseBudgetStore(database.db));

  describeBudgetStore(async () => {
    const store = started();
    return { one: store, other: store, close: () => Promise.resolve() };
  });

  it('know after a start what went before it, where the window is long', async () => {
    const limit = { requests: 2, perSeconds: 60 };
    const before = started();
    await before.ask('account', limit);
    await before.ask('account', limit);
    expect(await started().ask('account', limit)).toMatchObject({ granted: false, paused: false });
  });
});

await describeWith('PostgreSQL', 'budgets in PostgreSQL', () => {
  describeBudgetStore(async () => {
    const database = await temporaryPostgres();
    return {
      one: new DatabaseBudgetStore(database.db),
      other: new DatabaseBudgetStore(database.another().db),
      close: () => database.close(),
    };
  });
});

await describeWith('Redis', 'budgets in Redis', (redisUrl) => {
  const connections: Bull.Queue[] = [];
  let keys: Awaited<ReturnType<typeof freeRedisPrefix>>;
  const connect = (nowMs?: () => number) => {
    const queue = new Bull('budgets', redisUrl, { prefix: keys.prefix });
    connections.push(queue);
    return new RedisBudgetStore(queue.client, keys.prefix, nowMs);
  };
  beforeAll(async () => {
    keys = await freeRedisPrefix();
  });
  afterAll(async () => {
    await Promise.all(connections.map((queue) => queue.close()));
    await keys.clear();
  });

  describeBudgetStore(async () => ({ one: connect(), other: connect(), close: () => Promise.resolve() }));

  it('answer as the rule in memory does, whatever is asked when', async () => {
    const steps = fc.array(
      fc.record({
        passMs: fc.nat({ max: 700 }),
        requests: fc.integer({ min: 0, max: 5 }),
        perSeconds: fc.constantFrom(1, 2, 5),
        pauseMs: fc.option(fc.nat({ max: 3000 }), { freq: 12 }),
      }),
      { maxLength: 60 },
    );
    let nowMs = 1_700_000_000_000;
    const redis = connect(() => nowMs);
    await fc.assert(
      fc.asyncProperty(steps, async (asked) => {
        const memory = new MemoryBudgetStore(() => nowMs);
        const key = randomUUID();
        for (const { passMs, requests, perSeconds, pauseMs } of asked) {
          nowMs += passMs;
          if (pauseMs !== null) await Promise.all([redis.pause(key, pauseMs), memory.pause(key, pauseMs)]);
          const limit = requests === 0 ? undefined : { requests, perSeconds };
          expect(await redis.ask(key, limit)).toEqual(await memory.ask(key, limit));
        }
      }),
      { numRuns: 60 },
    );
  });
});
