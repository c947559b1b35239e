import { writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { live, type Failure } from './live.js';
import { shrink } from './shrink.js';
import { drawSteps, type Step } from './steps.js';
import type { Storage } from './storage.js';
import type { Fate } from './world.js';

/** Steps of one world: a workspace of its own, so that one that fails can be run alone. */
const STEPS_A_WORLD = 500;

/** Lines of a failure that are shown. */
const SHOWN = 12;

export interface Simulation {
  seed: number;
  steps: number;
  /** Only this one of its worlds. */
  world?: number;
  /** For how long a failure is made smaller, in milliseconds. */
  shrinkMs: number;
}

/** Steps of a world that failed, as they are kept for the next try. */
export type Replay = Fate & { steps: Step[] };

/** Runs a simulation to its end, or to the first failure, which it tells in words. */
export async function simulate(storage: Storage, given: Simulation): Promise<string | undefined> {
  const { seed, shrinkMs } = given;
  const worlds = Math.ceil(given.steps / STEPS_A_WORLD);
  for (let world = 1; world <= worlds; world += 1) {
    if (given.world !== undefined && given.world !== world) continue;
    const count = Math.min(STEPS_A_WORLD, given.steps - (world - 1) * STEPS_A_WORLD);
    const steps = drawSteps(seed + world, count);
    const failure = await live(storage, { seed, world }, steps);
    if (!failure) continue;
    const smallest = await shrink(storage, { seed, world }, steps, failure, shrinkMs);
    return `${told(given, world, steps, failure)}\n\n${kept({ seed, world, steps: smallest.steps }, smallest.failure)}`;
  }
  return undefined;
}

/** Takes the kept steps of a failure again. */
export async function replay(storage: Storage, { steps, ...fate }: Replay): Promise<string | undefined> {
  const failure = await live(storage, fate, steps);
  return failure && `Step ${failure.at} of the replay:\n${shown(failure)}`;
}

function told(given: Simulation, world: number, steps: readonly Step[], failure: Failure): string {
  const last = steps.slice(Math.max(0, failure.at - SHOWN), failure.at + 1);
  return [
    `World ${world}, step ${failure.at + 1} of ${steps.length}:`,
    shown(failure),
    'after',
    ...last.map((step) => JSON.stringify(step)),
    `Again: npm run simulate -- --seed ${given.seed} --steps ${given.steps} --world ${world}`,
  ].join('\n');
}

function kept(smaller: Replay, failure: Failure): string {
  const path = join(tmpdir(), `hub-simulation-${smaller.seed}-${smaller.world}.json`);
  writeFileSync(path, JSON.stringify(smaller));
  return [
    `It also fails with these ${smaller.steps.length} steps:`,
    ...smaller.steps.map((step) => JSON.stringify(step)),
    shown(failure),
    `Again: npm run simulate -- --replay ${path}`,
  ].join('\n');
}

function shown({ what }: Failure): string {
  const lines = what.split('\n');
  const more = lines.length > SHOWN ? [`… and ${lines.length - SHOWN} more`] : [];
  return [...lines.slice(0, SHOWN), ...more].join('\n');
}
