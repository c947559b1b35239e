import { createWriteStream } from 'node:fs';
import { mkdir, mkdtemp, rename, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { openPglite, scheduleSlots } from '../src/platform/database/index.js';
import { HubProcess } from './support/hub-process.js';
import { mountSmallDisk, type SmallDisk } from './support/small-disk.js';
import { until } from './support/until.js';

const MIB = 2 ** 20;

interface ImportState {
  id: string;
  audienceName: string;
  state: string;
  error: { code: string } | null;
  added: number | null;
}
interface Items<T> {
  items: T[];
}

let root: string;
let hub: HubProcess;
let inputId: string;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'hub-failures-'));
});
afterEach(async () => {
  await hub.kill();
  await rm(root, { recursive: true, force: true });
});

const folder = () => join(root, 'drop');
const fileOf = (name: string) => join(folder(), `onboarding/seat_id=5/files/${name}.csv`);

/** A hub on `dataDir` with a workspace and an input over {@link folder}. */
async function start(dataDir: string, env: Record<string, string> = {}): Promise<void> {
  hub = await HubProcess.start({ HUB_DATA: dataDir, HUB_SWEEP_MS: '500', HUB_LEASE_MS: '2000', ...env });
  const { id: organizationId } = await hub.api<{ id: string }>('POST', '/organizations', { name: 'O' });
  const workspace = { organizationId, name: 'W', seatId: '5' };
  const { id: workspaceId } = await hub.api<{ id: string }>('POST', '/workspaces', workspace);
  await mkdir(folder(), { recursive: true });
  const input = {
    workspaceId,
    plugin: 'folder-drop',
    name: 'drop',
    settings: { path: folder(), layout: 'iqm' },
  };
  inputId = (await hub.api<{ id: string }>('POST', '/inputs', input)).id;
}

/** Puts the file where the input finds it, old enough to count as whole at once. */
async function drop(name: string, rows: readonly string[], header = 'Email'): Promise<void> {
  const path = fileOf(name);
  await mkdir(join(path, '..'), { recursive: true });
  await writeFile(`${path}.part`, `${[header, ...rows].join('\n')}\n`);
  const past = new Date(Date.now() - 60_000);
  await utimes(`${path}.part`, past, past);
  await rename(`${path}.part`, path);
}

/** E-mails that no engine compresses well. */
const people = (count: number) =>
  Array.from({ length: count }, (_, n) => {
    const noise = (seed: number) => ((n * seed) % 4_294_967_296).toString(36);
    return `${noise(2_654_435_761)}${noise(40_503)}.${n}@example.com`;
  });

const scan = () => hub.api<{ queued: string[] }>('POST', `/inputs/${inputId}/scan`);
const importOf = (id: string) => hub.api<ImportState>('GET', `/imports/${id}`);

/** Scans; the one import that this queued. */
async function scanned(): Promise<string> {
  const { queued } = await scan();
  const [id] = queued;
  if (id === undefined || queued.length > 1) throw new Error(`The scan queued ${queued.length} imports.`);
  return id;
}

const ends = (id: string) =>
  until(
    'the import has ended',
    async () => {
      const found = await importOf(id);
      return ['queued', 'running'].includes(found.state) ? undefined : found;
    },
    60_000,
  );

async function isAlive(): Promise<void> {
  const answer = await fetch(`${hub.url}/health`);
  expect(await answer.json()).toMatchObject({ status: 'ok', database: 'ok', warehouse: 'ok' });
}

async function mailSubjects(): Promise<string[]> {
  const { items } = await hub.api<Items<{ subject: string; body: string }>>('GET', '/outbox');
  return items.map((mail) => `${mail.subject}: ${/\(([A-Z_]+)\)/.exec(mail.body)?.[1]}`);
}

/** Takes all space there is and returns what gives it back. */
async function fill(disk: SmallDisk, sizeBytes: number): Promise<() => Promise<void>> {
  const path = join(disk.path, 'filler');
  const filling = pipeline(Readable.from(zeros(sizeBytes)), createWriteStream(path));
  await expect(filling).rejects.toMatchObject({ code: 'ENOSPC' });
  return () => rm(path);
}

function* zeros(sizeBytes: number): Generator<Buffer> {
  for (let bytes = 0; bytes <= sizeBytes; bytes += 4096) yield Buffer.alloc(4096);
}

describe('a hub whose disk is full', () => {
  let disk: SmallDisk | undefined;
  const onSmallDisk = async (sizeBytes: number, test: (small: SmallDisk) => Promise<void>) => {
    disk = await mountSmallDisk(sizeBytes);
    if (disk) await test(disk);
  };
  afterEach(() => disk?.remove());

  it.each([
    ['spool', 4 * MIB],
    ['warehouse', 12 * MIB],
  ])(
    'fails an import that does not fit into its %s, and takes it up again when there is space',
    (part, sizeBytes) =>
      onSmallDisk(sizeBytes, async (small) => {
        const dataDir = join(root, 'data');
        await mkdir(dataDir);
        await mkdir(join(small.path, part));
        await symlink(join(small.path, part), join(dataDir, part));
        await start(dataDir);
        await drop('Big', people(200_000));
        expect(await ends(await scanned())).toMatchObject({ state: 'failed', error: { code: 'DISK_FULL' } });
        expect(await mailSubjects()).toEqual(['Import of "Big" failed: DISK_FULL']);
        await isAlive();
        await rename(fileOf('Big'), join(root, 'Big.csv'));
        await drop('Small', people(5));
        expect(await ends(await scanned())).toMatchObject({ state: 'published', added: 5 });
        await rename(join(root, 'Big.csv'), fileOf('Big'));
        await small.grow(1024 * MIB);
        expect(await ends(await scanned())).toMatchObject({ state: 'published', added: 200_000 });
      }),
    120_000,
  );

  it(
    'lives on where nothing at all can be written, and imports by itself when there is space',
    () =>
      onSmallDisk(96 * MIB, async (small) => {
        await start(join(small.path, 'data'));
        await drop('First', people(10));
        expect(await ends(await scanned())).toMatchObject({ state: 'published' });
        const free = await fill(small, 96 * MIB);
        await drop('Second', people(5000));
        const id = await scanned();
        await hub.line('the import failed', (line) => line.msg === 'import failed' && line.importId === id);
        await isAlive();
        expect(await hub.api<Items<unknown>>('GET', '/audiences/1/members')).toHaveProperty(
          'items.length',
          10,
        );
        await free();
        const second = await until(
          'the file is imported',
          async () => {
            // Where the failure could be written down, a scan takes the file up again; else the sweep goes on with it.
            await scan();
            const { items } = await hub.api<Items<ImportState>>('GET', '/imports');
            return items.find((item) => item.audienceName === 'Second' && item.state === 'published');
          },
          60_000,
        );
        expect(second.added).toBe(5000);
        await isAlive();
      }),
    120_000,
  );
});

describe('a hub whose input cannot be listed', () => {
  const away = () => `${folder()}-away`;
  const isAbout = ({ msg }: { msg?: string }) => msg === 'the input could not be listed';

  it('says why to who asked, and works again once the folder is there', async () => {
    await start(join(root, 'data'));
    await drop('Late', people(5));
    await rename(folder(), away());
    await writeFile(folder(), 'no folder');
    await expect(scan()).rejects.toThrow(/answered 503.*NOT_A_FOLDER/);
    const input = await hub.api<Record<string, unknown>>('GET', `/inputs/${inputId}`);
    expect(input).toMatchObject({
      lastScanError: { code: 'NOT_A_FOLDER', message: expect.stringContaining(folder()) },
    });
    await isAlive();
    await rm(folder());
    await rename(away(), folder());
    expect(await ends(await scanned())).toMatchObject({ state: 'published', added: 5 });
    expect(await hub.api('GET', `/inputs/${inputId}`)).toMatchObject({ lastScanError: null });
  }, 120_000);

  it('says so once in the log where the schedule finds it', async () => {
    const dataDir = join(root, 'data');
    await start(dataDir);
    await hub.stop();
    await rename(folder(), away());
    await forgetSlots(dataDir);
    hub = await HubProcess.start({ HUB_DATA: dataDir });
    expect(await hub.line('the scheduled scan', isAbout)).toMatchObject({ inputId, code: 'FOLDER_MISSING' });
    const input = await hub.api<Record<string, unknown>>('GET', `/inputs/${inputId}`);
    expect(input).toMatchObject({ lastScanError: { code: 'FOLDER_MISSING' } });
    await isAlive();
    await rename(away(), folder());
    expect(await scan()).toMatchObject({ queued: [] });
    expect(hub.lines.filter(isAbout)).toHaveLength(1);
  }, 120_000);

  /** As if ten minutes had passed since the hub was stopped: it makes up for the scan. */
  async function forgetSlots(dataDir: string): Promise<void> {
    const database = await openPglite(join(dataDir, 'postgres'));
    await database.db.delete(scheduleSlots);
    await database.close();
  }
});

describe('a file that needs more memory than there may be', () => {
  it('fails its import, and the hub lives on', async () => {
    await start(join(root, 'data'), { HUB_WAREHOUSE_MEMORY: '256MiB' });
    const rows = people(1_200_000).map((email, n) => `${email},+1202${2_000_000 + n}`);
    await drop('Large', rows, 'Email,Phone');
    expect(await ends(await scanned())).toMatchObject({ state: 'failed', error: { code: 'OUT_OF_MEMORY' } });
    expect(await mailSubjects()).toEqual(['Import of "Large" failed: OUT_OF_MEMORY']);
    await isAlive();
    await drop('Large', people(5));
    expect(await ends(await scanned())).toMatchObject({ state: 'published', added: 5 });
  }, 120_000);
});

describe('a file that is replaced while it is read', () => {
  const padding = 'x'.repeat(1000);
  const rows = people(150_000).map((email) => `${email},${padding}`);

  it.each([
    ['by another one of its name', true],
    ['in place', false],
  ])(
    'is never mixed when it is replaced %s, and the new one is imported by itself',
    async (_how, renamed) => {
      await start(join(root, 'data'));
      await drop('Moving', rows, 'Email,Padding');
      const replaced = new Promise<void>((resolve, reject) => {
        hub.onLine(({ msg, step }) => {
          if (msg !== 'import step' || step !== 'fetch') return;
          replace(renamed).then(resolve, reject);
        });
      });
      const first = await ends(await scanned());
      await replaced;
      if (first.state !== 'published') {
        expect(first).toMatchObject({ state: 'discarded', error: { code: 'SOURCE_REPLACED' } });
      }
      // Read to its end before it was replaced, it was the right one: the next scan finds the other.
      else await scan();
      const second = await until(
        'the new file is imported',
        async () => {
          const { items } = await hub.api<Items<ImportState>>('GET', '/imports');
          return items.find(
            (item) => item.id !== first.id && item.state !== 'queued' && item.state !== 'running',
          );
        },
        30_000,
      );
      // After the first one its list of 150,000 would shrink to 1,000: that waits for an admin.
      const state = first.state === 'published' ? 'held' : 'published';
      expect(second).toMatchObject({ state, added: 1000 });
    },
    120_000,
  );

  let done = false;
  beforeEach(() => {
    done = false;
  });
  async function replace(renamed: boolean): Promise<void> {
    if (done) return;
    done = true;
    const next = people(1000).map((email) => `new.${email},${padding}`);
    if (renamed) return drop('Moving', next, 'Email,Padding');
    const path = fileOf('Moving');
    await writeFile(path, `${['Email,Padding', ...next].join('\n')}\n`);
    const past = new Date(Date.now() - 60_000);
    await utimes(path, past, past);
  }
});
