import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { file } from '../../plugins/file/index.js';
import { batchFrom } from '../../src/kit/index.js';
import { Evidence } from '../../src/kit/testing/index.js';
import { Destinations } from '../../src/platform/files/index.js';
import { EgressGuard } from '../../src/platform/http/index.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hub-file-output-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe('the file output on a real folder', () => {
  it('leaves the file with the current members and its own notes, and no part', async () => {
    const { signal } = new AbortController();
    const destinations = new Destinations({ guard: new EgressGuard({ allowPrivate: false }) });
    const ctx: Parameters<typeof file.audience.add>[0] = {
      settings: file.settings.parse({ destination: folder }),
      credentials: {},
      connection: {},
      connectionId: 'connection-1',
      runId: 'run-1',
      http: { request: () => Promise.reject(new Error('The file output makes no requests.')) },
      connect: () => Promise.reject(new Error('The file output opens no connections.')),
      destination: (url, options) => destinations.open(url, options, signal),
      log: new Evidence().log,
      signal,
      now: () => new Date(),
    };
    const audience = { externalId: 'a', name: 'Été / 🎯' };
    const batch = (mpid: string) =>
      batchFrom({
        id: mpid,
        members: [{ mpid, identities: { email: [`p${mpid}@example.com`] } }],
        fromVersion: 0,
        toVersion: 1,
      });
    await file.check(ctx);
    for (const part of [0, 1]) await file.audience.replace?.write(ctx, audience, batch(String(part)), part);
    for (const repeated of [1, 2]) {
      await file.audience.replace?.finish(ctx, audience, { toVersion: 1, parts: 2, members: 2 });
      expect({ repeated, text: await readFile(join(folder, 'Été %2F 🎯.csv'), 'utf8') }).toEqual({
        repeated,
        text: 'mpid,identity_type,identity_value\n0,email,p0@example.com\n1,email,p1@example.com\n',
      });
    }
    const files = (await readdir(folder, { recursive: true, withFileTypes: true })).filter((entry) =>
      entry.isFile(),
    );
    expect(files.map(({ name }) => name).sort()).toEqual(['files', 'finished', 'Été %2F 🎯.csv']);
    await file.audience.delete?.(ctx, audience);
    expect(await destinations.open(folder, {}, signal).list('')).toEqual([]);
  });
});
