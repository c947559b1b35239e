import { describe, expect, it } from '@jest/globals';
import { elapsedClock } from './index.js';

describe('a clock for how long something has lasted', () => {
  function clocks() {
    const at = { monotonicMs: 5000, wallMs: Date.parse('2026-01-01T00:00:00Z') };
    const now = elapsedClock(
      () => at.monotonicMs,
      () => at.wallMs,
    );
    const pass = (ms: number) => {
      at.monotonicMs += ms;
      at.wallMs += ms;
    };
    return { at, now, pass, beganMs: now() };
  }

  it('goes on while the machine sleeps, when only the wall clock does', () => {
    const { at, now, pass, beganMs } = clocks();
    pass(100);
    at.wallMs += 60_000;
    expect(now() - beganMs).toBe(60_100);
    pass(100);
    expect(now() - beganMs).toBe(60_200);
  });

  it('never goes back, nor stands still, when the wall clock is set back', () => {
    const { at, now, pass, beganMs } = clocks();
    at.wallMs -= 3_600_000;
    expect(now() - beganMs).toBe(0);
    pass(250);
    expect(now() - beganMs).toBe(250);
    // Seen for a moment only, and still what has passed.
    at.wallMs += 3_600_000 + 1000;
    expect(now() - beganMs).toBe(1250);
    at.wallMs -= 1000;
    expect(now() - beganMs).toBe(1250);
  });

  it('is, by the machine’s own clocks, about what timers say', async () => {
    const now = elapsedClock();
    const beganMs = now();
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(now() - beganMs).toBeGreaterThanOrEqual(19);
    expect(now() - beganMs).toBeLessThan(5000);
  });
});
