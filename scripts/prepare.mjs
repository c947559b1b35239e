/**
 * Makes a fresh clone runnable: checks Node, installs the packages, builds. Does only what is missing, and is
 * quiet unless something fails. Node built-ins only, since nothing else is there on the first run.
 */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = join(dirname(fileURLToPath(import.meta.url)), '..');

/** What the build reads; a change of any of it makes the next start build again. */
const SOURCES = ['src', 'plugins', 'bench', 'test/support', 'tsconfig.json', 'tsconfig.build.json'];
const BUILT = join(root, 'dist', '.built');
const INSTALLED = join(root, 'node_modules', '.installed');

/** Installs and builds where needed; ends the process with a message where that fails. */
export async function prepare() {
  checkNode();
  await install();
  await build();
}

function checkNode() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  if (major > 20 || (major === 20 && minor >= 19)) return;
  fail(`The hub needs Node 20.19 or newer, and this is ${process.version}. Install a newer Node.`);
}

/** The packages are those of package-lock.json, whether this script or somebody's npm put them there. */
async function install() {
  const lockFile = join(root, 'package-lock.json');
  const wanted = createHash('sha256').update(readFileSync(lockFile)).digest('hex');
  if (existsSync(INSTALLED) && readFileSync(INSTALLED, 'utf8') === wanted) return;
  // npm writes this file last, so it is there only after an installation that came to its end.
  const npmsOwn = join(root, 'node_modules', '.package-lock.json');
  const fresh = existsSync(npmsOwn) && statSync(npmsOwn).mtimeMs >= statSync(lockFile).mtimeMs;
  if (!fresh) {
    say('Installing packages …');
    await npm(['ci', '--include=dev', '--no-audit', '--no-fund'], 'The packages were not installed.');
  }
  writeFileSync(INSTALLED, wanted);
}

async function build() {
  const wanted = fingerprint();
  const complete = existsSync(join(root, 'dist', 'src', 'main.js'));
  if (complete && existsSync(BUILT) && readFileSync(BUILT, 'utf8') === wanted) return;
  // The compiler does not write again what it believes to have written.
  if (!complete) rmSync(join(root, 'dist', '.tsbuildinfo'), { force: true });
  rmSync(BUILT, { force: true });
  say('Building …');
  await npm(['run', '--silent', 'build'], 'The build failed.');
  writeFileSync(BUILT, wanted);
}

/** Paths, sizes and times of the sources, and what is installed. */
function fingerprint() {
  const hash = createHash('sha256').update(readFileSync(INSTALLED));
  for (const source of SOURCES) addTo(hash, join(root, source));
  return hash.digest('hex');
}

function addTo(hash, path) {
  const stats = statSync(path);
  if (stats.isDirectory()) {
    for (const name of readdirSync(path).sort()) addTo(hash, join(path, name));
  } else {
    hash.update(`${path}\0${stats.size}\0${stats.mtimeMs}\0`);
  }
}

/** Shows what npm says only where it fails. Ends with it when this process is told to stop. */
async function npm(args, failure) {
  // Under `npm start`, npm says where it is; called by hand, it is on the path.
  const own = process.env.npm_execpath;
  const [command, before] = own ? [process.execPath, [own]] : ['npm', []];
  const child = spawn(command, [...before, ...args], { cwd: root, shell: isWindowsCommand(command) });
  const said = [];
  child.stdout.on('data', (chunk) => said.push(chunk));
  child.stderr.on('data', (chunk) => said.push(chunk));
  let stopped = false;
  const stop = () => {
    stopped = true;
    child.kill();
  };
  process.on('SIGTERM', stop).on('SIGINT', stop);
  const outcome = await new Promise((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('close', (code) => resolve(code));
  });
  process.off('SIGTERM', stop).off('SIGINT', stop);
  if (outcome === 0) return;
  if (stopped) fail('Stopped.');
  process.stderr.write(Buffer.concat(said));
  fail(`${failure} ${typeof outcome === 'string' ? outcome : 'What npm said stands above.'}`);
}

/** npm is a .cmd file there, which only a shell runs. */
function isWindowsCommand(command) {
  return process.platform === 'win32' && command === 'npm';
}

function say(line) {
  process.stderr.write(`${line}\n`);
}

function fail(message) {
  say(message);
  process.exit(1);
}
