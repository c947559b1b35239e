/**
 * `npm test`: installs and builds what is missing, then runs the specs; `npm test -- path` runs some of them.
 * Suites that need PostgreSQL or Redis are left out, loudly, where those do not answer; with CI=true that is
 * an error.
 */
import { spawnSync } from 'node:child_process';
import { connect } from 'node:net';
import { join } from 'node:path';
import { prepare, root } from './prepare.mjs';

/** The same addresses as in test/support/services.ts. */
const SERVICES = [
  { name: 'PostgreSQL', url: process.env.HUB_TEST_DATABASE_URL ?? 'postgresql://127.0.0.1:5432', port: 5432 },
  { name: 'Redis', url: process.env.HUB_TEST_REDIS_URL ?? 'redis://127.0.0.1:6379', port: 6379 },
];
const CONNECT_TIMEOUT_MS = 2000;

await prepare();
const absent = await absentServices();
if (absent.length > 0 && required()) {
  process.stderr.write(`${absent.join('\n')}\nThe suites that need them are required here. Start them.\n`);
  process.exit(1);
}
sayLeftOut('will be');
const status = runJest(process.argv.slice(2));
sayLeftOut('were');
process.exit(status);

function required() {
  return process.env.CI === 'true' || process.env.HUB_TEST_REQUIRE_SERVICES === 'true';
}

async function absentServices() {
  const lines = await Promise.all(
    SERVICES.map(async ({ name, url, port }) => {
      const at = new URL(url);
      if (await answers(at.hostname, Number(at.port) || port)) return [];
      return [`${name} does not answer at ${at.hostname}:${at.port || port}.`];
    }),
  );
  return lines.flat();
}

function answers(host, port) {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    const finish = (answered) => {
      socket.destroy();
      resolve(answered);
    };
    socket.setTimeout(CONNECT_TIMEOUT_MS, () => finish(false));
    socket.once('connect', () => finish(true));
    socket.once('error', () => finish(false));
  });
}

function runJest(args) {
  const jest = join(root, 'node_modules', 'jest', 'bin', 'jest.js');
  const node = ['--experimental-vm-modules', '--no-warnings', jest];
  return spawnSync(process.execPath, [...node, ...args], { cwd: root, stdio: 'inherit' }).status ?? 1;
}

function sayLeftOut(words) {
  if (absent.length === 0) return;
  const line = '!'.repeat(78);
  const text = absent.map((one) => `!! ${one} The suites that need it ${words} LEFT OUT.`).join('\n');
  process.stderr.write(`\n${line}\n${text}\n${line}\n\n`);
}
