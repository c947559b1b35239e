import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, it } from '@jest/globals';
import { replay, simulate, type Replay } from './simulate.js';
import { Storage } from './storage.js';

/** See `scripts/simulate.mjs`, which draws a seed: what the specs of a change are judged by is no lottery. */
const {
  HUB_SIMULATION_STEPS = '500',
  HUB_SIMULATION_WORLD,
  HUB_SIMULATION_REPLAY,
  HUB_SIMULATION_SHRINK_S = '60',
  HUB_TEST_SEED = '20261122',
} = process.env;
const STEPS = Number(HUB_SIMULATION_STEPS);
const SHRINK_MS = Number(HUB_SIMULATION_SHRINK_S) * 1000;

/** Room for a machine that does ten things at once. */
const STEP_MS = 300;

let storage: Storage;
beforeAll(async () => {
  storage = await Storage.open();
}, 120_000);
afterAll(() => storage.close());

async function run(): Promise<string | undefined> {
  if (HUB_SIMULATION_REPLAY !== undefined) {
    return replay(storage, JSON.parse(readFileSync(HUB_SIMULATION_REPLAY, 'utf8')) as Replay);
  }
  const only = HUB_SIMULATION_WORLD === undefined ? {} : { world: Number(HUB_SIMULATION_WORLD) };
  return simulate(storage, { seed: Number(HUB_TEST_SEED), steps: STEPS, shrinkMs: SHRINK_MS, ...only });
}

describe('a hub among people, partners and accidents', () => {
  it(
    'brings every partner to the members of the audience, whatever happens on the way',
    async () => {
      const failure = await run();
      if (failure !== undefined) throw new Error(failure);
    },
    180_000 + SHRINK_MS + STEPS * STEP_MS,
  );
});
