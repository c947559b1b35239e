import { live, type Failure } from './live.js';
import type { Step } from './steps.js';
import type { Storage } from './storage.js';
import type { Fate } from './world.js';

/**
 * Leaves out steps without which it fails all the same: halves, quarters and so on down to single ones, for as long
 * as there is time. Gives what is left, and how that fails.
 */
export async function shrink(
  storage: Storage,
  fate: Fate,
  steps: readonly Step[],
  failure: Failure,
  timeMs: number,
): Promise<{ steps: Step[]; failure: Failure }> {
  const endsAt = performance.now() + timeMs;
  let best = { steps: upTo(steps, failure), failure };
  let size = Math.floor(best.steps.length / 2);
  while (size >= 1) {
    let from = 0;
    while (from < best.steps.length - 1) {
      if (performance.now() > endsAt) return best;
      const fewer = [...best.steps.slice(0, from), ...best.steps.slice(from + size)];
      const failed = await live(storage, fate, closed(fewer));
      if (failed) best = { steps: upTo(closed(fewer), failed), failure: failed };
      else from += size;
    }
    size = Math.floor(size / 2);
  }
  return best;
}

function upTo(steps: readonly Step[], { at }: Failure): Step[] {
  return steps.slice(0, at + 1);
}

/** Failures mostly show when everything is checked. */
function closed(steps: readonly Step[]): Step[] {
  return steps.at(-1)?.do === 'check' ? [...steps] : [...steps, { do: 'check' }];
}
