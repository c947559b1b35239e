import { setTimeout as sleep } from 'node:timers/promises';

const LOOK_EVERY_MS = 1000;

/** Looks again every second while what was seen last goes on. */
export async function lookWhile<T>(
  first: T,
  look: () => Promise<T>,
  goesOn: (seen: T) => boolean,
): Promise<T> {
  let seen = first;
  while (goesOn(seen)) {
    await sleep(LOOK_EVERY_MS);
    seen = await look();
  }
  return seen;
}
