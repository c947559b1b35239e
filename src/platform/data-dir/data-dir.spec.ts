import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { compileSources } from '../../../test/support/compile-sources.js';
import { until } from '../../../test/support/until.js';
import { DataDirLockedError, DataDirUnusableError, openDataDir } from './index.js';

/** A process that opens the data directory when told `go`, says how it went, and stays until it is ended. */
const STARTER = `
import { openDataDir } from './src/platform/data-dir/index.js';
process.stdin.once('data', async () => {
  try {
    await openDataDir(process.argv[2]);
    console.log('open');
    setInterval(() => undefined, 1000);
  } catch (error) {
    console.log(error.name + ': ' + error.message);
    process.exit(1);
  }
});
console.log('ready');
`;

interface Starter {
  child: ChildProcess;
  lines: string[];
  go(): void;
}

describe('openDataDir', () => {
  let compiled: string;
  let parent: string;
  let dataDir: string;
  const starters: Starter[] = [];

  beforeAll(async () => {
    compiled = await mkdtemp(join(tmpdir(), 'hub-compiled-'));
    await compileSources('src/platform/data-dir', compiled);
    await writeFile(join(compiled, 'starter.js'), STARTER);
  });
  afterAll(() => rm(compiled, { recursive: true }));
  beforeEach(async () => {
    parent = await mkdtemp(join(tmpdir(), 'hub-data-'));
    dataDir = join(parent, 'data');
  });
  afterEach(async () => {
    await Promise.all(starters.splice(0).map((starter) => end(starter)));
    await rm(parent, { recursive: true });
  });

  async function starter(path = dataDir): Promise<Starter> {
    const child = spawn(process.execPath, [join(compiled, 'starter.js'), path], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    const lines: string[] = [];
    createInterface({ input: child.stdout }).on('line', (line) => lines.push(line));
    const made: Starter = { child, lines, go: () => void child.stdin.write('go\n') };
    starters.push(made);
    await until('the process is ready', () => lines.includes('ready'), 25_000);
    return made;
  }

  /** Kills a process as the system would, and waits until it is gone. */
  async function end({ child }: Starter): Promise<void> {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
  }

  const verdict = (made: Starter) => until('it says how it went', () => made.lines[1], 25_000);

  it('makes the directory, for its owner alone', async () => {
    const opened = await openDataDir(join(dataDir, 'deep'));
    expect((await stat(opened.path)).mode & 0o777).toBe(0o700);
    await opened.release();
  });

  it('says why a directory cannot be used', async () => {
    await writeFile(dataDir, 'a file');
    await expect(openDataDir(dataDir)).rejects.toThrow(
      `${dataDir} cannot hold the hub's data: a file of that name`,
    );
    await expect(openDataDir(join(dataDir, 'x'))).rejects.toThrow(DataDirUnusableError);
  });

  it('refuses a second one of the same process, and gives it after a release', async () => {
    const first = await openDataDir(dataDir);
    await expect(openDataDir(dataDir)).rejects.toThrow(DataDirLockedError);
    await first.release();
    const second = await openDataDir(dataDir);
    await second.release();
    expect((await readdir(join(dataDir, 'lock'))).filter((name) => name.startsWith('claim'))).toEqual([]);
  });

  it('tells a second process in one line which directory and which process, also over a link', async () => {
    const first = await starter();
    first.go();
    expect(await verdict(first)).toBe('open');
    await symlink(dataDir, join(parent, 'linked'));
    for (const path of [dataDir, join(parent, 'linked')]) {
      const second = await starter(path);
      second.go();
      const line = await verdict(second);
      expect(line).toBe(
        `DataDirLockedError: ${dataDir} is in use by another hub (process ${first.child.pid}). Stop that one, or set HUB_DATA to another directory.`,
      );
      expect(second.lines).toHaveLength(2);
    }
  });

  it('is free again at once when its process was killed, however often', async () => {
    for (let round = 0; round < 3; round += 1) {
      const next = await starter();
      next.go();
      expect(await verdict(next)).toBe('open');
      await end(next);
    }
    expect(await readdir(join(dataDir, 'lock'))).toHaveLength(2);
  });

  it('stays taken while its process is stopped and answers nobody', async () => {
    const first = await starter();
    first.go();
    await verdict(first);
    first.child.kill('SIGSTOP');
    await expect(openDataDir(dataDir)).rejects.toThrow(`process ${first.child.pid}`);
  });

  it.each([
    ['on a new directory', false],
    ['after a killed one', true],
  ])('has one winner of ten that start at the same instant, %s', async (_when, killed) => {
    if (killed) {
      const before = await starter();
      before.go();
      await verdict(before);
      await end(before);
    }
    const racers = await Promise.all(Array.from({ length: 10 }, () => starter()));
    for (const racer of racers) racer.go();
    const verdicts = await Promise.all(racers.map((racer) => verdict(racer)));
    const winner = racers[verdicts.indexOf('open')];
    expect(verdicts.filter((line) => line === 'open')).toHaveLength(1);
    const losers = verdicts.filter((line) => line !== 'open');
    for (const line of losers) expect(line).toContain(`(process ${winner?.child.pid})`);
  });

  it('takes a path longer than a socket may have', async () => {
    const long = join(dataDir, 'd'.repeat(200));
    await mkdir(long, { recursive: true });
    const opened = await openDataDir(long);
    await expect(openDataDir(long)).rejects.toThrow(DataDirLockedError);
    await opened.release();
  });
});
