import { mkdir, mkdtemp, rm, utimes, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { callbackify } from 'node:util';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { eq } from 'drizzle-orm';
import { SMTPServer } from 'smtp-server';
import { mailStreams, notices, outbox, type Database } from '../src/platform/database/index.js';
import { DATABASE } from '../src/platform/nest/index.js';
import { startTestHub, type TestHub } from './support/hub.js';
import { until } from './support/until.js';

const ADMIN = 'admin@example.com';
/** A scan of 200 files and its mails take seconds alone, and much longer beside other specs. */
const PATIENCE_MS = 90_000;

interface Mail {
  to: string[];
  subject: string;
  /** Headers and text, unfolded. */
  raw: string;
}
interface Kept {
  subject: string;
  state: string;
  attempts: number;
  error: string | null;
  nextTryAt: string | null;
  sentAt: string | null;
}

let hub: TestHub;
let db: Database;
let smtp: SMTPServer;
let dropRoot: string;
let workspaceId: string;
let organizationId: string;
let userId: string;
let inputId: string;
const received: Mail[] = [];
let refusal: number | undefined;

beforeAll(async () => {
  smtp = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS', 'AUTH'],
    onData(stream, { envelope }, callback) {
      callbackify(async () => {
        const raw = decoded(await text(stream));
        if (refusal) throw Object.assign(new Error('no'), { responseCode: refusal });
        const subject = /^Subject: (.*)$/m.exec(raw)?.[1]?.trim() ?? '';
        received.push({ to: envelope.rcptTo.map(({ address }) => address), subject, raw });
      })(callback);
    },
  });
  smtp.on('error', () => undefined);
  await new Promise<void>((resolve) => smtp.listen(0, '127.0.0.1', resolve));
  const { port } = smtp.server.address() as AddressInfo;
  dropRoot = await mkdtemp(join(tmpdir(), 'hub-mail-'));
  hub = await startTestHub({
    SMTP_URL: `smtp://127.0.0.1:${port}`,
    HUB_MAIL_FROM: 'Hub <hub@example.com>',
    HUB_SWEEP_MS: '200',
    HUB_MAIL_GATHER_MS: '3600000',
  });
  db = hub.hub.app.get<Database>(DATABASE);
  organizationId = (await hub.ok<{ id: string }>('POST', '/organizations', { name: 'Mails' })).id;
  const workspace = { organizationId, name: 'Shop', seatId: '9' };
  workspaceId = (await hub.ok<{ id: string }>('POST', '/workspaces', workspace)).id;
  const person = { workspaceId, email: ADMIN, name: 'Admin', role: 'admin' };
  userId = (await hub.ok<{ id: string }>('POST', '/users', person)).id;
  const settings = { path: dropRoot, layout: 'iqm' };
  const input = { workspaceId, plugin: 'folder-drop', name: 'drop', settings };
  inputId = (await hub.ok<{ id: string }>('POST', '/inputs', input)).id;
}, 120_000);

afterAll(async () => {
  await hub?.stop();
  await new Promise<void>((resolve) => smtp.close(() => resolve()));
  await rm(dropRoot, { recursive: true, force: true });
});

beforeEach(async () => {
  received.length = 0;
  refusal = undefined;
  // What waits for its mail belongs to the test before.
  await db.delete(notices);
  await db.delete(mailStreams);
});

/** Headers unfolded, words and text decoded; enough for what the hub sends. */
function decoded(message: string): string {
  const end = message.indexOf('\r\n\r\n');
  const hex = (part: string) =>
    part.replaceAll(/=([0-9A-F]{2})/g, (_, code: string) => String.fromCodePoint(Number.parseInt(code, 16)));
  const headers = message
    .slice(0, end)
    .replaceAll(/\?=\r\n[ \t]+=\?UTF-8\?Q\?/g, '')
    .replaceAll(/\r\n[ \t]+/g, ' ')
    .replaceAll(/=\?UTF-8\?Q\?(.*?)\?=/g, (_, word: string) => hex(word.replaceAll('_', ' ')));
  return `${headers}${hex(message.slice(end).replaceAll('=\r\n', ''))}`.replaceAll('\r\n', '\n');
}

async function put(key: string, content: string): Promise<void> {
  const path = join(dropRoot, key);
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, content);
  // Old enough to count as whole at once.
  const past = new Date(Date.now() - 60_000);
  await utimes(path, past, past);
}

const scan = () => hub.ok<{ refused: string[]; queued: string[] }>('POST', `/inputs/${inputId}/scan`);
const received1 = (what: string) =>
  until(what, () => received.find(({ subject }) => subject.includes(what)), PATIENCE_MS);
/** As if the span had passed for which mails are gathered. */
const spanOver = () => db.update(mailStreams).set({ nextMailAt: new Date(0) });

describe('a scan in which 200 files fail', () => {
  it('is one mail at once and one for the others, each file told of once', async () => {
    for (let n = 0; n < 200; n += 1) {
      await put(`onboarding/seat_id=unknown/files/List ${n}.csv`, 'Email\na@example.com\n');
    }
    expect((await scan()).refused).toHaveLength(200);
    const first = await received1('failed');
    expect(first.subject).toMatch(/^Import of "List \d+" failed$/);
    expect(first.to).toEqual([ADMIN]);
    expect(received).toHaveLength(1);
    await spanOver();
    const second = await received1('199 imports failed');
    expect(second.raw.match(/^- "List \d+", file onboarding\/seat_id=unknown/gm)).toHaveLength(20);
    expect(second.raw).toContain('and 179 more');
    expect(second.raw).toMatch(new RegExp(`^List-ID: .*<${workspaceId}\\.example\\.com>`, 'im'));
    await spanOver();
    await until(
      'the stream rests',
      async () => {
        const [stream] = await db.select().from(mailStreams).where(eq(mailStreams.recipient, ADMIN));
        return stream?.nextMailAt === null;
      },
      PATIENCE_MS,
    );
    expect(received).toHaveLength(2);
  });
});

describe('a file that is mended', () => {
  const key = 'onboarding/seat_id=9/files/Mended.csv';

  it('is told of again when it succeeds, in the thread of its failure', async () => {
    await put(key, 'Nothing we know\nx\n');
    await scan();
    const failed = await received1('Import of "Mended" failed');
    await put(key, 'Email\none@example.com\ntwo@example.com\n');
    await scan();
    const again = await received1('Import of "Mended" succeeded again');
    const threadOf = ({ raw }: Mail) => /^References: (.*)$/m.exec(raw)?.[1];
    expect(threadOf(failed)).toBeDefined();
    expect(threadOf(again)).toBe(threadOf(failed));
    expect(failed.raw + again.raw).not.toMatch(/(?:one|two)@example/);
    await put(key, 'Email\none@example.com\ntwo@example.com\nthree@example.com\n');
    const [third = ''] = (await scan()).queued;
    await until(
      'the third is imported',
      async () => {
        return (await hub.ok<{ state: string }>('GET', `/imports/${third}`)).state === 'published';
      },
      PATIENCE_MS,
    );
    const { items } = await hub.ok<{ items: Kept[] }>('GET', `/outbox?workspaceId=${workspaceId}`);
    expect(items.filter(({ subject }) => subject.includes('succeeded again'))).toHaveLength(1);
  });
});

describe('a mail server that does not take a mail', () => {
  it('is seen in the outbox with the reason, the tries and the moment of the next one', async () => {
    refusal = 451;
    await put('onboarding/seat_id=9/files/Late.csv', 'Nothing we know\nx\n');
    await scan();
    const find = async () => {
      const { items } = await hub.ok<{ items: Kept[] }>('GET', `/outbox?workspaceId=${workspaceId}`);
      return items.find(
        ({ subject, error, sentAt }) => subject.includes('"Late"') && (error ?? sentAt) !== null,
      );
    };
    const waiting = await until('it was tried', find, PATIENCE_MS);
    expect(waiting).toMatchObject({ state: 'waiting', attempts: 1, error: expect.stringContaining('451') });
    expect(Date.parse(waiting.nextTryAt ?? '')).toBeGreaterThan(Date.now());
    refusal = undefined;
    await db.update(outbox).set({ notBefore: new Date(0) });
    await received1('"Late"');
    const sent = await until('it is noted', async () =>
      (await find())?.state === 'sent' ? find() : undefined,
    );
    expect(sent).toMatchObject({ state: 'sent', attempts: 2, error: null, nextTryAt: null });
  });
});

describe('preferences', () => {
  const choose = (kind: string, choice: string, workspace: string | null = null) => ({
    choices: [{ workspaceId: workspace, kind, choice }],
  });
  const keyOf = async (role: string, of?: string) =>
    (
      await hub.ok<{ key: string }>('POST', '/api-keys', {
        workspaceId,
        name: `${role} ${of ?? ''}`,
        role,
        ...(of ? { userId: of } : {}),
      })
    ).key;

  it('are changed by their person with a key of their own, and by admins', async () => {
    const own = await keyOf('viewer', userId);
    const set = await hub.ok('PUT', '/users/me/notifications', choose('import_held', 'digest'), own);
    expect(set).toEqual({
      userId,
      digestEvery: 'day',
      choices: [{ workspaceId: null, kind: 'import_held', choice: 'digest' }],
      otherwise: 'immediate',
    });
    expect(await hub.ok('GET', '/users/me/notifications', undefined, own)).toEqual(set);
    const more = { digestEvery: 'hour', ...choose('import_failed', 'off', workspaceId) };
    expect(await hub.ok('PUT', `/users/${userId}/notifications`, more)).toMatchObject({
      digestEvery: 'hour',
      choices: [{ workspaceId, kind: 'import_failed', choice: 'off' }],
    });
    await put('onboarding/seat_id=unknown/files/Silent.csv', 'Email\na@example.com\n');
    await scan();
    const { items } = await hub.ok<{ items: Kept[] }>('GET', '/outbox?pageSize=1000');
    expect(items.filter(({ subject }) => subject.includes('Silent'))).toEqual([]);
    await hub.ok('PUT', `/users/${userId}/notifications`, { choices: [] });
  });

  it("are not changed by somebody else, for another organization's workspace, or twice at once", async () => {
    const set = async (path: string, body: object, key?: string) =>
      (await hub.api('PUT', path, body, key)).status;
    const own = await keyOf('editor', userId);
    const other = await hub.ok<{ id: string }>('POST', '/users', {
      workspaceId,
      email: 'other@example.com',
      name: 'Other',
      role: 'viewer',
    });
    expect(await set(`/users/${other.id}/notifications`, choose('import_held', 'off'), own)).toBe(403);
    expect(await set('/users/me/notifications', choose('import_held', 'off'), await keyOf('admin'))).toBe(
      403,
    );
    const stranger = await hub.ok<{ id: string }>('POST', '/organizations', { name: 'Strangers' });
    const foreign = await hub.ok<{ id: string }>('POST', '/workspaces', {
      organizationId: stranger.id,
      name: 'Foreign',
      seatId: '1',
    });
    expect(await set('/users/me/notifications', choose('import_held', 'off', foreign.id), own)).toBe(404);
    expect(await set('/users/me/notifications', choose('import_held', 'sometimes'), own)).toBe(400);
    const [choice] = choose('import_held', 'off').choices;
    expect(await set('/users/me/notifications', { choices: [choice, choice] }, own)).toBe(400);
    const wider = { organizationId, name: 'wide', role: 'viewer', userId };
    expect((await hub.api('POST', '/api-keys', wider)).status).toBe(400);
  });

  it('end with their person, and so does the key', async () => {
    const person = { workspaceId, email: 'short@example.com', name: 'Short', role: 'admin' };
    const { id } = await hub.ok<{ id: string }>('POST', '/users', person);
    const own = await keyOf('viewer', id);
    await hub.ok('PUT', '/users/me/notifications', choose('import_held', 'off'), own);
    await hub.ok('DELETE', `/users/${id}`);
    expect((await hub.api('GET', '/users/me/notifications', undefined, own)).status).toBe(401);
  });
});
