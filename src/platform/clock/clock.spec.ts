import { describe, expect, it } from '@jest/globals';
import { SystemClock } from './index.js';
import { TestClock } from './testing/test-clock.js';

describe('SystemClock', () => {
  it('tells the time of the machine', () => {
    const before = Date.now();
    const now = new SystemClock().now().getTime();
    expect(now).toBeGreaterThanOrEqual(before);
    expect(now).toBeLessThanOrEqual(Date.now());
  });
});

describe('TestClock', () => {
  it('stands still until it is set or advanced', () => {
    const clock = new TestClock('2026-03-01T10:00:00Z');
    expect(clock.now()).toEqual(clock.now());
    clock.advance(90_000);
    expect(clock.now().toISOString()).toBe('2026-03-01T10:01:30.000Z');
    clock.set('2027-01-01T00:00:00Z');
    expect(clock.now().getUTCFullYear()).toBe(2027);
  });

  it('hands out copies, so that nobody can bend it', () => {
    const clock = new TestClock('2026-03-01T10:00:00Z');
    clock.now().setUTCFullYear(1999);
    expect(clock.now().getUTCFullYear()).toBe(2026);
  });

  it('refuses what is no date', () => {
    expect(() => new TestClock('yesterday')).toThrow('yesterday is no date');
  });
});
