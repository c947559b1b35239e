import { request } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startTestHub, type TestHub } from '../support/hub.js';
import { iqmCall, logIn, makeIqmAccount } from '../support/iqm.js';
import { beginUpload, tusCall } from '../support/tus.js';
import { until } from '../support/until.js';
import { workbookOf } from '../support/workbook.js';
import { BOUNDARY, sampleBody, SAMPLE_FIELDS } from './sample-request.js';

const MIB = 2 ** 20;

let hub: TestHub;
let headers: Record<string, string>;

beforeAll(async () => {
  hub = await startTestHub();
  headers = await logIn(hub.url, await makeIqmAccount(hub));
}, 120_000);

afterAll(async () => {
  await hub?.stop();
});

const FIELDS = {
  ...SAMPLE_FIELDS,
  columns: '{"Email":"Email","Note":"Voters_FullName"}',
  isSingleColumnEnabled: 'true',
};

function ready(id: number): Promise<{ status: string; uniques: number }> {
  return until(
    `audience ${id} is Ready`,
    async () => {
      const [row] = (await hub.ok<{ items: { state: string }[] }>('GET', `/imports?audienceId=${id}`)).items;
      if (row?.state !== 'published') return undefined;
      const answer = await iqmCall<{ responseObject: { status: string; uniques: number } }>(
        hub.url,
        'GET',
        `/api/v2/audience/matched/${id}`,
        headers,
      );
      return answer.body.responseObject;
    },
    120_000,
  );
}

/** Sends the form with a file of `lines`, as fast as it is taken; memory is looked at on the way. */
async function sendStreamed(
  lines: Iterable<string>,
): Promise<{ id: number; peakBytes: number; sentBytes: number }> {
  const mark = 'THE-FILE';
  const [before = '', after = ''] = sampleBody(mark, FIELDS).split(mark);
  let sentBytes = 0;
  let peakBytes = 0;
  function* body() {
    yield before;
    for (const chunk of lines) {
      sentBytes += chunk.length;
      peakBytes = Math.max(peakBytes, process.memoryUsage.rss());
      yield chunk;
    }
    yield after;
  }
  const call = request(`${hub.url}/api/v2/audience/matched/add`, {
    method: 'POST',
    headers: { ...headers, 'content-type': `multipart/form-data; boundary=${BOUNDARY}` },
  });
  const answered = new Promise<string>((resolve, reject) => {
    call.once('error', reject);
    call.once('response', (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (piece: string) => (text += piece));
      response.once('end', () => resolve(text));
    });
  });
  await pipeline(Readable.from(body(), { objectMode: false }), call);
  const { responseObject } = JSON.parse(await answered) as { responseObject: { id: number } };
  peakBytes = Math.max(peakBytes, process.memoryUsage.rss());
  return { id: responseObject.id, peakBytes, sentBytes };
}

describe('a large upload', () => {
  it('goes through in bounded memory', async () => {
    const idleBytes = process.memoryUsage.rss();
    const filler = 'x'.repeat(1000);
    function* lines() {
      yield 'Email,Note\n';
      for (let chunk = 0; chunk < 1600; chunk += 1) {
        yield Array.from(
          { length: 128 },
          (_, n) => `p-${(chunk * 128 + n) % 1000}@example.com,${filler}\n`,
        ).join('');
      }
    }
    const { id, peakBytes, sentBytes } = await sendStreamed(lines());
    expect(sentBytes).toBeGreaterThan(190 * MIB);
    expect(peakBytes - idleBytes).toBeLessThan(300 * MIB);
    expect(id).toBeGreaterThan(0);
  }, 120_000);
});

describe('a workbook', () => {
  it.each(['people.xlsx', 'people.csv'])(
    'is read by what it is, called %s',
    async (name) => {
      const rows = [
        ['Email', 'Note'],
        ['ann@example.com', 'a'],
        ['bob@example.com', 'b'],
      ];
      const bytes = await workbookOf({ sheets: [{ rows }] });
      const form = new FormData();
      form.append('file', new Blob([new Uint8Array(bytes)]), name);
      for (const [field, value] of Object.entries({ ...FIELDS, fileTotalCount: '2' }))
        form.append(field, value);
      const added = await iqmCall<{ responseObject: { id: number } }>(
        hub.url,
        'POST',
        '/api/v2/audience/matched/add',
        headers,
        form,
      );
      expect(added.status).toBe(200);
      expect(await ready(added.body.responseObject.id)).toMatchObject({ status: 'Ready', uniques: 2 });
    },
    120_000,
  );
});

const isOver = ({ state }: { state: string }) => !['queued', 'running'].includes(state);

describe('a large resumable upload', () => {
  it('goes through in bounded memory, and is one file in the end', async () => {
    const account = await makeIqmAccount(hub);
    const line = Buffer.from(`p-1@example.com,${'x'.repeat(1000)}\n`.repeat(256));
    const chunks = 400;
    const head = Buffer.from('Email,Note\n');
    const length = head.length + chunks * line.length;
    // What came before is imported in this process, too.
    await until(
      'the hub is idle',
      async () =>
        (await hub.ok<{ items: { state: string }[] }>('GET', '/imports?pageSize=1000')).items.every(isOver),
      60_000,
    );
    const idleBytes = process.memoryUsage.rss();
    let peakBytes = 0;
    async function* body() {
      yield head;
      for (let chunk = 0; chunk < chunks; chunk += 1) {
        peakBytes = Math.max(peakBytes, process.memoryUsage.rss());
        yield await Promise.resolve(line);
      }
    }
    const notes = { workspaceId: account.workspaceId, audienceName: 'Large' };
    const { id, url } = await beginUpload(hub.url, hub.adminKey, length, notes);
    const auth = { authorization: `Bearer ${hub.adminKey}`, 'upload-offset': '0' };
    expect((await tusCall(url, 'PATCH', auth, body())).status).toBe(204);
    peakBytes = Math.max(peakBytes, process.memoryUsage.rss());
    expect(length).toBeGreaterThan(90 * MIB);
    expect(peakBytes - idleBytes).toBeLessThan(300 * MIB);
    expect(await hub.ok('GET', `/uploads/${id}`)).toMatchObject({ state: 'taken', receivedBytes: length });
  }, 120_000);
});
