/**
 * A clock for how long something has lasted: milliseconds that only go forward, and that go on while the machine sleeps. The
 * monotonic clock stands still then; the wall clock does not, but may be set back.
 */
export function elapsedClock(monotonicMs = () => performance.now(), wallMs = () => Date.now()): () => number {
  const beganMs = wallMs() - monotonicMs();
  let aheadMs = 0;
  return () => {
    const nowMs = monotonicMs();
    aheadMs = Math.max(aheadMs, wallMs() - nowMs - beganMs);
    return nowMs + aheadMs;
  };
}
