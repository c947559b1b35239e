import { chmod, chown, mkdir, mkdtemp, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { HubProcess } from './support/hub-process.js';
import { until } from './support/until.js';

/** Rights do not bind root, so a hub that root starts here runs as nobody. */
const NOBODY = 65_534;
const isRoot = process.getuid?.() === 0;
const user = isRoot ? { uid: NOBODY, gid: NOBODY } : {};

let root: string;
let hub: HubProcess | undefined;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'hub-unreadable-'));
  await own(root);
});
afterEach(async () => {
  await hub?.kill();
  hub = undefined;
  await chmod(join(root, 'drop'), 0o700).catch(() => undefined);
  await rm(root, { recursive: true, force: true });
});

const own = (path: string) => (isRoot ? chown(path, NOBODY, NOBODY) : Promise.resolve());

/** Whether anybody may read the program; where root has it for itself, nobody else can start it. */
async function isOpenToAll(): Promise<boolean> {
  const program = fileURLToPath(new URL('../dist/src/main.js', import.meta.url));
  for (let path = program; ; path = dirname(path)) {
    const { mode } = await stat(path);
    if ((mode & 0o5) !== 0o5 && path !== program) return false;
    if (path === dirname(path)) return true;
  }
}

async function put(folder: string, name: string, text: string): Promise<void> {
  const path = join(folder, name);
  await writeFile(path, text);
  await own(path);
  const past = new Date(Date.now() - 60_000);
  await utimes(path, past, past);
}

it('A drop folder that the hub may not read fails its scans with the reason, and is read once it may be', async () => {
  if (isRoot && !(await isOpenToAll())) {
    process.stderr.write(
      '\nLEFT OUT: the test with an unreadable folder needs a program that all may read.\n\n',
    );
    return;
  }
  const drop = join(root, 'drop');
  await mkdir(drop);
  await own(drop);
  await put(drop, 'Buyers.csv', 'id-1\nid-2\n');
  hub = await HubProcess.start({ HUB_DATA: join(root, 'data') }, 'listening', user);
  const { api, url } = { api: hub.api.bind(hub), url: hub.url };
  const { id: organizationId } = await api<{ id: string }>('POST', '/organizations', { name: 'O' });
  const workspace = { organizationId, name: 'W', seatId: '5' };
  const { id: workspaceId } = await api<{ id: string }>('POST', '/workspaces', workspace);
  const settings = { path: drop, layout: 'repro' };
  const input = { workspaceId, plugin: 'folder-drop', name: 'drop', onUnknown: 'create', settings };
  const { id } = await api<{ id: string }>('POST', '/inputs', input);
  const reason = `The folder ${drop} cannot be read (EACCES). Give the hub's user the right to list it.`;

  await chmod(drop, 0);
  await expect(api('POST', `/inputs/${id}/scan`)).rejects.toThrow('FOLDER_UNREADABLE');
  expect(await api('POST', `/inputs/${id}/check`)).toMatchObject({ ok: false, message: reason });
  expect(await api('GET', `/inputs/${id}`)).toMatchObject({
    lastScanError: { code: 'FOLDER_UNREADABLE', message: reason },
  });
  expect(await (await fetch(`${url}/health`)).json()).toMatchObject({ status: 'ok', warehouse: 'ok' });
  expect(await api('GET', '/imports')).toMatchObject({ total: 0 });

  await chmod(drop, 0o500);
  const { queued } = await api<{ queued: string[] }>('POST', `/inputs/${id}/scan`);
  expect(queued).toHaveLength(1);
  const ended = await until(
    'the import has ended',
    async () => {
      const found = await api<{ state: string }>('GET', `/imports/${queued[0]}`);
      return ['queued', 'running'].includes(found.state) ? undefined : found;
    },
    60_000,
  );
  expect(ended).toMatchObject({ state: 'published', added: 2 });
  expect(await api('GET', `/inputs/${id}`)).toMatchObject({ lastScanError: null });
}, 180_000);
