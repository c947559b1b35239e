import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startTestHub, type TestHub } from './support/hub.js';
import { until } from './support/until.js';

interface ImportView {
  state: string;
  rows: { matched: number; created: number };
}

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
const PHONE = '3456789012';

let hub: TestHub;
let root: string;
let inputId: string;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'hub-hashed-'));
  hub = await startTestHub();
  const { id: organizationId } = await hub.ok<{ id: string }>('POST', '/organizations', { name: 'Hashes' });
  const workspace = { organizationId, name: 'W', seatId: '5' };
  const { id: workspaceId } = await hub.ok<{ id: string }>('POST', '/workspaces', workspace);
  const settings = { path: root, layout: 'iqm' };
  const input = { workspaceId, plugin: 'folder-drop', name: 'drop', settings };
  inputId = (await hub.ok<{ id: string }>('POST', '/inputs', input)).id;
});
afterAll(async () => {
  await hub.stop();
  await rm(root, { recursive: true, force: true });
});

async function importOf(name: string, text: string): Promise<ImportView> {
  const path = join(root, `onboarding/seat_id=5/files/${name}.csv`);
  await mkdir(join(path, '..'), { recursive: true });
  await writeFile(path, text);
  const past = new Date(Date.now() - 60_000);
  await utimes(path, past, past);
  const { queued } = await hub.ok<{ queued: string[] }>('POST', `/inputs/${inputId}/scan`);
  return until(
    `${name} is imported`,
    async () => {
      const view = await hub.ok<ImportView>('GET', `/imports/${queued[0]}`);
      return ['queued', 'running'].includes(view.state) ? undefined : view;
    },
    60_000,
  );
}

describe('people whose addresses come raw in one file and hashed in another', () => {
  it('are the same people, whichever came first', async () => {
    const raw = 'Email,Phone\nann@example.com,\nbob@example.com,3456789012\n';
    expect(await importOf('raw', raw)).toMatchObject({
      state: 'published',
      rows: { matched: 0, created: 2 },
    });
    const hashes = ['Ann@Example.com', 'eve@example.com'].map((email) => sha256(email.toLowerCase()));
    const hashed = `Email SHA256\n${hashes.join('\n')}\n`;
    expect(await importOf('hashed', hashed)).toMatchObject({ rows: { matched: 1, created: 1 } });
    const late = 'Email\nann@example.com\neve@example.com\ndan@example.com\n';
    expect(await importOf('late', late)).toMatchObject({ rows: { matched: 2, created: 1 } });
  });

  it('are found by the hash of their phone as well', async () => {
    const hashed = `Phone SHA256\n${sha256(PHONE)}\n`;
    expect(await importOf('phones', hashed)).toMatchObject({ rows: { matched: 1, created: 0 } });
  });
});
