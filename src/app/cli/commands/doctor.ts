import { ConfigError, readConfig, type Config } from '../../../platform/env/index.js';
import { EXIT, type ExitCode } from '../cli-error.js';
import {
  checkClock,
  checkDatabase,
  checkDataDir,
  checkEgress,
  checkFiles,
  checkMail,
  checkNode,
  checkQueue,
  checkWarehouse,
} from '../doctor/checks.js';
import { failed, ok, type Finding } from '../doctor/finding.js';
import type { Screen } from '../screen.js';

/** How long a part may take to answer, in milliseconds. */
const PATIENCE_MS = 15_000;

const MARKS: Readonly<Record<Finding['state'], string>> = { ok: 'ok  ', warning: 'warn', failed: 'FAIL' };

/** `hub doctor`: looks at everything a hub with this environment would stand on. */
export async function examine(screen: Screen, env: NodeJS.ProcessEnv): Promise<ExitCode> {
  const findings = [...checkNode(env), ...(await configured(env))];
  const lines = findings.flatMap(({ state, name, found, fix }) => [
    `${MARKS[state]}  ${name}: ${found}`,
    ...(fix === undefined ? [] : [`      ${fix}`]),
  ]);
  const bad = findings.filter(({ state }) => state === 'failed').length;
  screen.result({ healthy: bad === 0, findings }, [
    ...lines,
    bad === 0 ? 'Nothing is in the way.' : `${bad} to mend.`,
  ]);
  return bad === 0 ? EXIT.done : EXIT.bad;
}

async function configured(env: NodeJS.ProcessEnv): Promise<Finding[]> {
  let config: Config;
  try {
    config = readConfig(env);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.problems.map((problem) =>
      failed('configuration', problem, 'docs/deployment.md lists all variables.'),
    );
  }
  const found = await Promise.all([
    inTime('data directory', checkDataDir(config)),
    inTime('database', checkDatabase(config)),
    inTime('warehouse', checkWarehouse(config)),
    inTime('queue', checkQueue(config)),
    inTime('files', checkFiles(config)),
    inTime('mail', checkMail(config)),
    checkEgress(config),
    checkClock(),
  ]);
  return [ok('configuration', `roles ${[...config.roles].join(', ')}`), ...found];
}

/** What `check` finds, or that it found nothing in time: a doctor who waits for ever is no help. */
async function inTime(name: string, check: Promise<Finding>): Promise<Finding> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<Finding>((resolve) => {
    const found = `no answer in ${PATIENCE_MS / 1000} s`;
    timer = setTimeout(
      () => resolve(failed(name, found, 'See whether it is up and reachable.')),
      PATIENCE_MS,
    );
  });
  try {
    return await Promise.race([check, late]);
  } finally {
    clearTimeout(timer);
  }
}
