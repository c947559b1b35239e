import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { requestWindows, type Database } from '../src/platform/database/index.js';
import { DATABASE } from '../src/platform/nest/index.js';
import { FILES_WITH_BAD_ROWS, GOOD, ODD_FILES, ODD_NAMES, UNUSABLE_FILES } from './support/bad-files.js';
import { BAD_WORKBOOKS, SHOWN_CELLS, SHOWN_TEXT } from './support/bad-workbooks.js';
import { expectAccounted } from './support/expect-accounted.js';
import { startTestHub, type TestHub } from './support/hub.js';
import { iqmCall, logIn, makeIqmAccount } from './support/iqm.js';
import { makeTenant, type Tenant } from './support/tenants.js';
import { sendByClient, tusSender } from './support/tus.js';
import { until } from './support/until.js';
import { SAMPLE_FIELDS } from './iqm/sample-request.js';

interface Ended {
  id: string;
  state: string;
  audienceId: number;
  audienceName: string;
  error: { code: string; message: string } | null;
  rows: { read: number; accepted: number; rejected: number; rejectedByReason: Record<string, number> } | null;
}

type Content = string | Uint8Array;
type Send = (name: string, file: Content) => Promise<Ended>;

let hub: TestHub;
let tenant: Tenant;
let iqmHeaders: Record<string, string>;

beforeAll(async () => {
  hub = await startTestHub();
  tenant = await makeTenant(hub, 'Bad');
  iqmHeaders = await logIn(hub.url, await makeIqmAccount(hub));
}, 120_000);

afterAll(() => hub?.stop());

// Of IQM's API, which takes twenty calls a minute.
beforeEach(() => hub.hub.app.get<Database>(DATABASE).delete(requestWindows));

const sizeOf = async (id: number) => (await hub.ok<{ size: number }>('GET', `/audiences/${id}`)).size;

function ended(id: string): Promise<Ended> {
  return until(
    'the import is at its end',
    async () => {
      const found = await hub.ok<Ended>('GET', `/imports/${id}`);
      return ['queued', 'running'].includes(found.state) ? undefined : found;
    },
    60_000,
  );
}

/** By the tus client; the name is the key, so that the same name refreshes. */
const byTus: Send = async (name, file) => {
  const bytes = Buffer.from(file);
  const metadata = { audienceName: name };
  const url = await sendByClient(hub.url, tenant.editor, bytes, { metadata, chunkBytes: 1_000_000 });
  const { importId } = await tusSender(hub, tenant).viewOf(url);
  return ended(importId ?? '');
};

/** By IQM's API, which makes an audience of each file. The columns of the file are named, as it asks for. */
async function byIqm(name: string, file: Content, columns: object = { Email: 'Email' }): Promise<Ended> {
  const form = new FormData();
  form.append('file', new Blob([Buffer.from(file)]), 'people.csv');
  const fields = { ...SAMPLE_FIELDS, audienceName: name, columns: JSON.stringify(columns) };
  for (const [field, value] of Object.entries({ ...fields, fileTotalCount: '3' })) form.append(field, value);
  const path = '/api/v2/audience/matched/add';
  const added = await iqmCall<{ responseObject: { id: number } }>(hub.url, 'POST', path, iqmHeaders, form);
  expect(added.status).toBe(200);
  const list = `/imports?audienceId=${added.body.responseObject.id}`;
  const [row] = (await hub.ok<{ items: Ended[] }>('GET', list)).items;
  return ended(row?.id ?? '');
}

async function statusOf(id: number): Promise<string> {
  const path = `/api/v2/audience/matched/${id}`;
  const { body } = await iqmCall<{ responseObject: { status: string } }>(hub.url, 'GET', path, iqmHeaders);
  return body.responseObject.status;
}

function isToldWell(error: Ended['error']): void {
  expect(error?.message.length).toBeGreaterThan(20);
  expect(error?.message).not.toMatch(/ann@|bob@|\bRed\b/);
}

/** By its first bytes an upload is a workbook, whatever it is called. */
const codeOf = (code: string): string => (code === 'NOT_A_TEXT_FILE' ? 'WORKBOOK_DAMAGED' : code);

describe('an upload that cannot be used', () => {
  let audienceId: number;
  beforeAll(async () => {
    const first = await byTus('mended', GOOD);
    expect(first).toMatchObject({ state: 'published', error: null });
    ({ audienceId } = first);
  });

  it.each(UNUSABLE_FILES)(
    'fails with a clear error where it has %s, and the members stay',
    async (_, file, code) => {
      const failed = await byTus('mended', file);
      expect(failed).toMatchObject({ state: 'failed', audienceId, error: { code: codeOf(code) } });
      isToldWell(failed.error);
      expect(await sizeOf(audienceId)).toBe(3);
    },
  );

  it('is mended by a good one of the same key', async () => {
    const corrected = await byTus('mended', `${GOOD}dan@example.com\n`);
    expect(corrected).toMatchObject({ state: 'published', audienceId });
    expect(await sizeOf(audienceId)).toBe(4);
  });

  it.each(UNUSABLE_FILES)(
    "by IQM's API is Failed, and says why, where it has %s",
    async (what, file, code) => {
      const failed = await byIqm(what, file);
      expect(failed).toMatchObject({ state: 'failed', error: { code: codeOf(code) } });
      isToldWell(failed.error);
      expect(await statusOf(failed.audienceId)).toBe('Failed');
      expect(await sizeOf(failed.audienceId)).toBe(0);
    },
  );

  it.each(BAD_WORKBOOKS)('is refused for what it is where it is %s', async (what, make, code) => {
    const file = await make();
    for (const failed of [await byTus(what, file), await byIqm(what, file)]) {
      expect(failed).toMatchObject({ state: 'failed', error: { code } });
      isToldWell(failed.error);
    }
  });
});

describe('an upload with bad rows', () => {
  const ways: [string, Send][] = [
    ['tus', byTus],
    ["IQM's API", byIqm],
  ];
  const cases = ways.flatMap(([way, send]) => FILES_WITH_BAD_ROWS.map((row) => [way, ...row, send] as const));

  it.each(cases)(
    'by %s is taken but for those, and accounts for them, where it has %s',
    async (way, what, file, reasons, accepted, send) => {
      const done = await send(`${what} by ${way}`, file);
      await expectAccounted(hub, done, reasons, accepted);
    },
  );

  it.each(ODD_FILES)('is read whole where it has %s', async (what, file) => {
    for (const done of [await byTus(what, file), await byIqm(what, file)]) {
      expect(done).toMatchObject({ state: 'published', rows: { read: 3, accepted: 3, rejected: 0 } });
    }
  });
});

describe('a workbook that is uploaded', () => {
  it('is read as its cells show themselves: formulas, dates, numbers, and ZIP codes with their zero', async () => {
    const workbook = await SHOWN_CELLS();
    const columns = Object.fromEntries(
      ['Email', 'FirstName', 'LastName', 'mZip5', 'mState'].map((name) => [name, name]),
    );
    for (const [one, other] of [
      [await byTus('Shown', workbook), await byTus('Shown as text', SHOWN_TEXT)],
      [await byIqm('Shown', workbook, columns), await byIqm('Shown as text', SHOWN_TEXT, columns)],
    ] as const) {
      expect(one).toMatchObject({
        state: 'published',
        rows: { read: 2, accepted: 2, rejected: 0, matched: 0 },
      });
      // The text of the same cells is the same people: nobody is made anew, by any of their identities.
      expect(other).toMatchObject({
        state: 'published',
        rows: { read: 2, accepted: 2, matched: 2, created: 0 },
      });
    }
  });
});

describe('the name of an upload', () => {
  it.each(ODD_NAMES)('with %s names its audience as it is', async (_, name) => {
    const { audienceId } = await byTus(name, GOOD);
    expect(await hub.ok('GET', `/audiences/${audienceId}`)).toMatchObject({ name, kind: 'matched' });
  });
});
