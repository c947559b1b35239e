import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { request as send, type ClientRequest } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { formOf, L2_SECRETS, postUniverse, signed } from '../support/l2.js';
import { startMultipartS3 } from '../support/multipart-s3.js';
import { HubProcess, PROCESS_KEY } from '../support/hub-process.js';
import { beginUpload, sendByClient, tusCall } from '../support/tus.js';
import { until } from '../support/until.js';

interface Listed<T> {
  items: T[];
  total: number;
}
interface UploadView {
  state: string;
  receivedBytes: number;
}

const NAME = 'IQM_123456_Killed';
/** More than an object store takes as one part, so that a half-received file has parts there. */
const ROWS = 400_000;
const PEOPLE = 100;
const PATIENCE_MS = 90_000;

/** Many rows, few people: large to receive and quick to import. */
const FILE = [
  'LALVOTERID,Ethnic_Description',
  ...Array.from({ length: ROWS }, (_, index) => `LALCA${1 + (index % PEOPLE)},${'x'.repeat(60)}`),
  '',
].join('\n');

describe('a universe whose receiver is killed', () => {
  let data: string;
  let hub: HubProcess;
  beforeEach(async () => {
    data = await mkdtemp(join(tmpdir(), 'hub-receiving-'));
  });
  afterEach(async () => {
    await hub.kill();
    await rm(data, { recursive: true, force: true });
  });

  async function startWithInput(env: Record<string, string>): Promise<void> {
    hub = await HubProcess.start({ HUB_DATA: data, ...env });
    const organization = { name: 'Killed', externalId: '123456' };
    const { id: organizationId } = await hub.api<{ id: string }>('POST', '/organizations', organization);
    const workspace = { organizationId, name: 'W', seatId: '77' };
    const { id: workspaceId } = await hub.api<{ id: string }>('POST', '/workspaces', workspace);
    await hub.api('POST', '/inputs', {
      workspaceId,
      plugin: 'l2-universe',
      name: 'L2',
      credentials: L2_SECRETS,
    });
  }

  /** Sends all but the end, kills the hub once that was received, and starts it again. */
  async function killedHalfWay(
    { type, body }: { type: string; body: Buffer },
    headers: Record<string, string>,
    env: Record<string, string>,
    received: (bytes: number) => Promise<boolean>,
  ): Promise<void> {
    const half = body.subarray(0, body.length - 100_000);
    const url = `${hub.url}/api/v1/hooks/l2/universes`;
    const sizes = { 'content-type': type, 'content-length': body.length };
    const request: ClientRequest = send(url, { method: 'POST', headers: { ...headers, ...sizes } });
    request.on('error', () => undefined);
    request.write(half);
    await until('most of it was received', () => received(half.length - 1_000_000), PATIENCE_MS);
    await hub.kill();
    request.destroy();
    hub = await HubProcess.start({ HUB_DATA: data, ...env });
  }

  /** What the hub has after the whole was sent again. */
  async function endAfterSendingAgain(
    { type, body }: { type: string; body: Buffer },
    headers: Record<string, string>,
  ) {
    const answer = await postUniverse(hub.url, type, body, headers);
    expect(answer).toMatchObject({ status: 202, body: { repeated: false } });
    const done = await until(
      'the import is at its end',
      async () => {
        const found = await hub.api<{ state: string; audienceId: number }>(
          'GET',
          `/imports/${answer.body.importId}`,
        );
        return ['queued', 'running'].includes(found.state) ? undefined : found;
      },
      PATIENCE_MS,
    );
    expect(done).toMatchObject({ state: 'published', rows: { read: ROWS, rejected: 0 } });
    expect(await hub.api('GET', `/audiences/${done.audienceId}`)).toMatchObject({ size: PEOPLE, version: 1 });
    expect(await hub.api('GET', '/imports')).toMatchObject({ total: 1 });
    const { items } = await hub.api<Listed<UploadView>>('GET', '/uploads');
    expect(items.map(({ state }) => state)).toEqual(['taken', 'expired']);
  }

  it('has the same end when it is sent again, and no bytes stay in the folder', async () => {
    await startWithInput({});
    const form = await formOf(NAME, FILE);
    const headers = signed(form.body);
    const drafts = join(data, 'files', '.hub-tmp');
    await killedHalfWay(form, headers, {}, async (bytes) => {
      const names = await readdir(drafts).catch(() => []);
      const sizes = await Promise.all(names.map(async (name) => (await stat(join(drafts, name))).size));
      return sizes.some((size) => size >= bytes);
    });
    expect(await readdir(drafts)).toEqual([]);
    await endAfterSendingAgain(form, headers);
    await until('the file is deleted', async () => !(await readdir(join(data, 'files'))).includes('uploads'));
  });

  it('has the same end when it is sent again, and no parts stay in the bucket', async () => {
    const s3 = await startMultipartS3('hub');
    try {
      const env = {
        HUB_FILES: 's3://hub/spool',
        HUB_FILES_ENDPOINT: s3.endpoint,
        HUB_FILES_ACCESS_KEY_ID: 'test',
        HUB_FILES_SECRET: 'test-secret',
      };
      await startWithInput(env);
      const form = await formOf(NAME, FILE);
      const headers = signed(form.body);
      await killedHalfWay(form, headers, env, async (bytes) => {
        const { items } = await hub.api<Listed<UploadView>>('GET', '/uploads?state=receiving');
        return s3.openKeys().length === 1 && items.some(({ receivedBytes }) => receivedBytes >= bytes);
      });
      expect(s3.openKeys()).toEqual([]);
      await endAfterSendingAgain(form, headers);
      expect(s3.openKeys()).toEqual([]);
    } finally {
      await s3.stop();
    }
  });
});

describe('a resumable upload whose receiver is killed', () => {
  let data: string;
  let hub: HubProcess;
  beforeEach(async () => {
    data = await mkdtemp(join(tmpdir(), 'hub-resuming-'));
    hub = await HubProcess.start({ HUB_DATA: data });
  });
  afterEach(async () => {
    await hub.kill();
    await rm(data, { recursive: true, force: true });
  });

  it('goes on where it was after the restart, and nobody is lost or there twice', async () => {
    const file = Buffer.from(FILE);
    const { id: organizationId } = await hub.api<{ id: string }>('POST', '/organizations', {
      name: 'Killed',
    });
    const workspace = { organizationId, name: 'W', seatId: '77' };
    const { id: workspaceId } = await hub.api<{ id: string }>('POST', '/workspaces', workspace);
    const notes = { workspaceId, audienceName: 'Killed', recordCount: String(ROWS) };
    const { id, url } = await beginUpload(hub.url, PROCESS_KEY, file.length, notes);
    const path = url.slice(hub.url.length);
    const auth = { authorization: `Bearer ${PROCESS_KEY}` };
    async function* allButTheEnd() {
      yield file.subarray(0, file.length - 100_000);
      await new Promise<never>(() => undefined);
    }
    const cut = tusCall(url, 'PATCH', { ...auth, 'upload-offset': '0' }, allButTheEnd());
    cut.catch(() => undefined);
    const uploadOf = () => hub.api<UploadView>('GET', `/uploads/${id}`);
    await until('a piece is counted', async () => (await uploadOf()).receivedBytes > 0, PATIENCE_MS);
    await hub.kill();
    await expect(cut).rejects.toThrow();

    hub = await HubProcess.start({ HUB_DATA: data });
    const { receivedBytes } = await uploadOf();
    expect(receivedBytes).toBeGreaterThan(0);
    expect(receivedBytes).toBeLessThan(file.length);
    await sendByClient(hub.url, PROCESS_KEY, file, { uploadUrl: `${hub.url}${path}` });
    const done = await until(
      'the import is at its end',
      async () => {
        const [found] = (await hub.api<Listed<{ state: string; audienceId: number }>>('GET', '/imports'))
          .items;
        return found === undefined || ['queued', 'running'].includes(found.state) ? undefined : found;
      },
      PATIENCE_MS,
    );
    expect(done).toMatchObject({ state: 'published', rows: { read: ROWS, rejected: 0 } });
    expect(await hub.api('GET', `/audiences/${done.audienceId}`)).toMatchObject({ size: PEOPLE, version: 1 });
    expect(await hub.api('GET', '/imports')).toMatchObject({ total: 1 });
    expect(await readdir(join(data, 'files', 'upload-parts')).catch(() => [])).toEqual([]);
  });
});
