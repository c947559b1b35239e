/**
 * `npm run simulate -- --steps 10000 --seed n`: random imports, deliveries, faults, lies and crashes, after which
 * every partner has the members of the audience. `--world n` runs one world of a run, `--replay file` the steps that
 * a failure was made smaller to; `--shrink n` gives that n seconds.
 */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { prepare, root } from './prepare.mjs';

const text = { type: 'string' };
const options = { steps: text, seed: text, world: text, replay: text, shrink: text };
const { values } = parseArgs({ options });
const variables = {
  HUB_SIMULATION_STEPS: values.steps ?? '10000',
  HUB_SIMULATION_WORLD: values.world,
  HUB_SIMULATION_REPLAY: values.replay,
  HUB_SIMULATION_SHRINK_S: values.shrink ?? '300',
  HUB_TEST_SEED: values.seed ?? String(Math.floor(Math.random() * 2 ** 31)),
};
process.stdout.write(`Seed ${variables.HUB_TEST_SEED}, ${variables.HUB_SIMULATION_STEPS} steps\n`);

await prepare();
const given = Object.entries(variables).filter(([, value]) => value !== undefined);
const jest = join(root, 'node_modules', 'jest', 'bin', 'jest.js');
const node = ['--experimental-vm-modules', '--no-warnings', jest, 'test/simulation/simulation.spec.ts'];
const env = { ...process.env, ...Object.fromEntries(given) };
process.exit(spawnSync(process.execPath, node, { cwd: root, stdio: 'inherit', env }).status ?? 1);
