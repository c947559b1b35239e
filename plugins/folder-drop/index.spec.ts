import { appendFileSync } from 'node:fs';
import { mkdir, mkdtemp, realpath, rename, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { afterEach, describe, expect, it } from '@jest/globals';
import type { ListedFile } from '../../src/kit/index.js';
import { describeInput, Evidence, MemoryDestination, testConnect } from '../../src/kit/testing/index.js';
import { folderDrop } from './index.js';

const folders: string[] = [];
afterEach(() => Promise.all(folders.splice(0).map((path) => rm(path, { recursive: true, force: true }))));

async function folder(): Promise<string> {
  const path = await realpath(await mkdtemp(join(tmpdir(), 'hub-folder-drop-')));
  folders.push(path);
  return path;
}

async function put(root: string, key: string, body: Uint8Array | string = 'id-1\n'): Promise<void> {
  await mkdir(dirname(join(root, key)), { recursive: true });
  await writeFile(join(root, key), body);
}

for (const layout of ['iqm', 'repro'] as const) {
  describeInput(
    folderDrop,
    {
      async source() {
        const path = await folder();
        await mkdir(join(path, 'drop'));
        return {
          settings: { path, layout, prefix: 'drop', stableForMs: 0 },
          put: (key, body) => put(path, key, body),
          delete: (key) => rm(join(path, key)),
          close: () => Promise.resolve(),
        };
      },
      credentials: () => ({}),
      keyOf: (name) => (layout === 'iqm' ? `drop/onboarding/seat_id=42/crm/${name}.csv` : `drop/${name}.csv`),
      broken: [
        { title: 'a missing folder', settings: { path: '/nonexistent/drop', layout }, kind: 'config' },
        { title: 'a file instead of a folder', settings: { path: '/etc/hostname', layout }, kind: 'config' },
      ],
    },
    `${layout} layout`,
  );
}

describe('the folder drop', () => {
  it('finds the seat, folder and audience of the IQM layout, and says why a key does not fit', async () => {
    const path = await folder();
    await put(path, 'onboarding/seat_id=42/crm/Spring buyers.csv');
    await put(path, 'onboarding/seat_id=42/too-high.csv');
    await put(path, 'onboarding/seat_id=42/crm/sheet.xls');
    const listed = await list({ path, layout: 'iqm', stableForMs: 0 });
    expect(listed).toHaveLength(3);
    expect(listed).toEqual(
      expect.arrayContaining([
        expect.objectContaining({
          key: 'onboarding/seat_id=42/crm/Spring buyers.csv',
          audienceName: 'Spring buyers',
          workspace: { by: 'seat', seatId: '42' },
          onUnknown: 'create',
          tombstones: false,
        }),
        refused('onboarding/seat_id=42/too-high.csv'),
        refused('onboarding/seat_id=42/crm/sheet.xls'),
      ]),
    );
  });

  it('reads only what lies in the folder itself in the Repro layout, without a header', async () => {
    const path = await folder();
    await put(path, 'buyers.csv');
    await put(path, 'archive/old.csv');
    expect(await list({ path, layout: 'repro', stableForMs: 0, maxBytes: 10 })).toEqual([
      expect.objectContaining({
        key: 'buyers.csv',
        workspace: { by: 'input' },
        onUnknown: 'reject',
        tombstones: true,
        shape: { format: 'csv', header: false, columns: ['customer_id'], encodings: 'utf-8', maxBytes: 10 },
      }),
    ]);
  });

  it('passes over what tools leave behind', async () => {
    const path = await folder();
    for (const name of ['.DS_Store', '_SUCCESS', 'a.csv.part', 'b.csv.tmp', 'c.csv~', '.git/x.csv'])
      await put(path, name);
    expect(await list({ path, layout: 'repro', stableForMs: 0 })).toEqual([]);
  });

  it('takes a file that was just written after a second look, in the same visit', async () => {
    const path = await folder();
    await put(path, 'fresh.csv');
    expect(await list({ path, layout: 'repro', stableForMs: 50 })).toMatchObject([{ key: 'fresh.csv' }]);
  });

  it('leaves a file alone that grows between the two looks, and takes the one beside it', async () => {
    const path = await folder();
    await put(path, 'settled.csv');
    const longAgo = new Date(Date.now() - 60_000);
    await utimes(join(path, 'settled.csv'), longAgo, longAgo);
    await put(path, 'growing.csv');
    const writer = setInterval(() => appendFileSync(join(path, 'growing.csv'), 'id-2\n'), 10);
    try {
      const listed = await list({ path, layout: 'repro', stableForMs: 300 });
      expect(listed.map(({ key }) => key)).toEqual(['settled.csv']);
    } finally {
      clearInterval(writer);
    }
  });

  it('takes a file with a time in the future once it is left alone', async () => {
    const path = await folder();
    await put(path, 'tomorrow.csv');
    const tomorrow = new Date(Date.now() + 86_400_000);
    await utimes(join(path, 'tomorrow.csv'), tomorrow, tomorrow);
    expect(await list({ path, layout: 'repro', stableForMs: 50 })).toMatchObject([{ key: 'tomorrow.csv' }]);
  });

  it('follows links to files inside the folder and refuses those that lead out of it', async () => {
    const [path, outside] = [await folder(), await folder()];
    await put(outside, 'secret.csv');
    await put(path, 'inside.csv');
    await symlink(join(path, 'inside.csv'), join(path, 'link.csv'));
    await symlink(join(outside, 'secret.csv'), join(path, 'out.csv'));
    await symlink(outside, join(path, 'folder.csv'));
    const listed = await list({ path, layout: 'repro', stableForMs: 0 });
    expect(listed).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ key: 'inside.csv', audienceName: 'inside' }),
        expect.objectContaining({ key: 'link.csv', audienceName: 'link' }),
        refused('out.csv'),
        refused('folder.csv'),
      ]),
    );
  });

  it('does not open a link that was put in the place of a listed file', async () => {
    const [path, outside] = [await folder(), await folder()];
    await put(outside, 'secret.csv');
    await put(path, 'a.csv');
    const [file] = await list({ path, layout: 'repro', stableForMs: 0 });
    await rm(join(path, 'a.csv'));
    await symlink(join(outside, 'secret.csv'), join(path, 'a.csv'));
    await expect(
      folderDrop.open(contextOf({ path, layout: 'repro' }), { key: 'a.csv', revision: file?.revision ?? '' }),
    ).rejects.toThrow('changed');
    await expect(
      folderDrop.open(contextOf({ path, layout: 'repro' }), { key: '../x.csv', revision: '' }),
    ).rejects.toThrow('changed');
  });

  it('reads the listed content to its end where another file is moved over it', async () => {
    const path = await folder();
    await put(path, 'a.csv', Buffer.alloc(5_000_000, 'a'));
    const [file] = await list({ path, layout: 'repro', stableForMs: 0 });
    if (!file) throw new Error('Nothing is listed.');
    const stream = await folderDrop.open(contextOf({ path, layout: 'repro' }), file);
    await put(path, 'b.tmp', 'b');
    await rename(join(path, 'b.tmp'), join(path, 'a.csv'));
    expect((await buffer(stream)).equals(Buffer.alloc(5_000_000, 'a'))).toBe(true);
  });

  it('names the folder and the reason where it cannot be listed', async () => {
    const path = join(await folder(), 'drop');
    await expect(list({ path, layout: 'iqm' })).rejects.toMatchObject({
      kind: 'config',
      code: 'FOLDER_MISSING',
      message: `The folder ${path} does not exist. Create it or correct the settings.`,
    });
  });

  it('refuses a prefix that would lead out of the folder', () => {
    expect(folderDrop.settings.safeParse({ path: '/drop', layout: 'iqm', prefix: '../x' }).success).toBe(
      false,
    );
    expect(folderDrop.folders?.(folderDrop.settings.parse({ path: '/drop', layout: 'iqm' }))).toEqual([
      '/drop',
    ]);
  });
});

function contextOf(settings: Parameters<typeof folderDrop.settings.parse>[0]) {
  const { log } = new Evidence();
  return {
    settings: folderDrop.settings.parse(settings),
    credentials: {},
    http: { request: () => Promise.reject(new Error('The folder drop makes no requests.')) },
    connect: testConnect(new AbortController().signal),
    destination: () => new MemoryDestination(),
    log,
    signal: new AbortController().signal,
    now: () => new Date(),
  };
}

async function list(settings: Parameters<typeof folderDrop.settings.parse>[0]): Promise<ListedFile[]> {
  const listed: ListedFile[] = [];
  for await (const file of folderDrop.trigger.list(contextOf(settings))) listed.push(file);
  return listed;
}

function refused(key: string): unknown {
  return expect.objectContaining({ key, refused: expect.objectContaining({ code: expect.any(String) }) });
}
