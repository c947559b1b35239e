import { jest } from '@jest/globals';
import { deliveryJobs } from '../../src/platform/database/index.js';
import { take } from './actions.js';
import { audit, seen } from './audit.js';
import { Random } from './random.js';
import { settle } from './settle.js';
import type { Step } from './steps.js';
import type { Storage } from './storage.js';
import { World, type Fate } from './world.js';

/** No step takes so long, however busy the machine: it hangs. */
const LONGEST_STEP_MS = 240_000;

export interface Failure {
  /** The step that it came to light with. */
  at: number;
  what: string;
}

/** Takes the steps one after the other in a new world. Gives the first failure. */
export async function live(
  storage: Storage,
  fate: Fate,
  steps: readonly Step[],
): Promise<Failure | undefined> {
  const random = new Random(fate.seed ^ fate.world);
  const dice = jest.spyOn(Math, 'random').mockImplementation(() => random.next());
  const world = await World.begin(storage, fate);
  let at = 0;
  try {
    for (const [index, step] of steps.entries()) {
      at = index;
      const problems = await inTime(step.do === 'check' ? check(world) : taken(world, step));
      if (problems.length > 0) return { at, what: problems.join('\n') };
    }
    return undefined;
  } catch (error) {
    return { at, what: error instanceof Error ? String(error.stack) : String(error) };
  } finally {
    await world.end();
    dice.mockRestore();
  }
}

async function taken(world: World, step: Step): Promise<string[]> {
  await take(world, step);
  return seen(world);
}

async function check(world: World): Promise<string[]> {
  await settle(world);
  // Nothing may be left at the partner that would change its lists behind the hub's back.
  const known = await world.db.select({ jobId: deliveryJobs.jobId }).from(deliveryJobs);
  world.partner.endJobs(known.map(({ jobId }) => jobId));
  return audit(world);
}

async function inTime<T>(step: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('The step does not come to an end.')), LONGEST_STEP_MS);
  });
  try {
    return await Promise.race([step, late]);
  } finally {
    clearTimeout(timer);
  }
}
