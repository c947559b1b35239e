import { afterEach, describe, expect, it } from '@jest/globals';
import { until } from '../../../test/support/until.js';
import { LeaseLostError } from './index.js';
import { Renewal } from './renewal.js';

const LEASE_MS = 60_000;

describe('a lease that is renewed', () => {
  const made: Renewal[] = [];
  afterEach(() => {
    for (const one of made.splice(0)) one.stop();
  });

  /** A lease taken at moment 0 by a clock that is set by hand; `answers` are what it is told when it asks. */
  function leaseOf(answers: (boolean | Error)[], leaseMs = LEASE_MS) {
    const clock = { nowMs: 0 };
    let asked = 0;
    const renew = async () => {
      const answer = answers[asked] ?? true;
      asked += 1;
      if (answer instanceof Error) throw answer;
      return answer;
    };
    const renewal = new Renewal({ renew, leaseMs, nowMs: () => clock.nowMs }, 0);
    made.push(renewal);
    return { clock, renewal, asked: () => asked };
  }

  it('is nobody else’s while it lasts, and whoever has it need not ask', () => {
    const { clock, renewal, asked } = leaseOf([]);
    clock.nowMs = LEASE_MS - 1;
    expect(renewal.confirm()).toBeUndefined();
    expect(asked()).toBe(0);
  });

  it('is asked for once it may have run out, and lasts from before it was asked for', async () => {
    const { clock, renewal, asked } = leaseOf([true]);
    clock.nowMs = LEASE_MS;
    const asking = renewal.confirm();
    clock.nowMs += 10;
    await asking;
    expect([asked(), renewal.lost.aborted]).toEqual([1, false]);
    clock.nowMs = 2 * LEASE_MS - 1;
    expect(renewal.confirm()).toBeUndefined();
    clock.nowMs += 1;
    expect(renewal.confirm()).toBeDefined();
  });

  it.each([
    ['somebody else has it', false],
    ['the database does not answer', new Error('away')],
  ])('is lost where %s', async (_, answer) => {
    const { clock, renewal } = leaseOf([answer]);
    clock.nowMs = LEASE_MS;
    await expect(renewal.confirm()).rejects.toThrow(LeaseLostError);
    expect(renewal.lost.reason).toBeInstanceOf(LeaseLostError);
  });

  it('lasts on where the database was away for one of its renewals', async () => {
    const { clock, renewal, asked } = leaseOf([new Error('away')], 30);
    clock.nowMs = 10;
    await until('it has asked twice', () => asked() >= 2);
    expect(renewal.lost.aborted).toBe(false);
    clock.nowMs = 39;
    expect(renewal.confirm()).toBeUndefined();
  });
});
