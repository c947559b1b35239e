import { mkdtemp, rm } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { eq, sql } from 'drizzle-orm';
import { SMTPServer } from 'smtp-server';
import {
  migrate,
  openPglite,
  organizations,
  outbox,
  workspaces,
  type OpenDatabase,
} from '../../platform/database/index.js';
import { Leases } from '../../platform/lease/index.js';
import { silentLogger } from '../../platform/log/index.js';
import { createMailer, type Mailer } from '../../platform/mail/index.js';
import { Metrics } from '../../platform/metrics/index.js';
import { InProcessWorkQueue } from '../../platform/queue/index.js';
import { OutboxSender, pauseAfter } from './outbox.sender.js';
import { NOBODY, OutboxService } from './outbox.service.js';

const FROM = 'Hub <hub@example.com>';
const never = new AbortController().signal;

let folder: string;
let database: OpenDatabase;
let workspaceId: string;
let smtp: SMTPServer;
let mailer: Mailer;
/** What the server does with the next mails: undefined takes them. */
let refusal: number | undefined;
const received: string[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hub-outbox-'));
  database = await openPglite(join(folder, 'postgres'));
  await migrate(database.db);
  smtp = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS'],
    onRcptTo: (address, _session, done) => {
      if (refusal) return done(Object.assign(new Error('no'), { responseCode: refusal }));
      received.push(address.address);
      done();
    },
    onData: (stream, _session, done) => {
      stream.resume();
      stream.once('end', () => done());
    },
  });
  await new Promise<void>((resolve) => smtp.listen(0, '127.0.0.1', resolve));
  const { port } = smtp.server.address() as AddressInfo;
  mailer = createMailer({ smtpUrl: `smtp://127.0.0.1:${port}`, from: FROM });
  workspaceId = await makeWorkspace();
}, 60_000);

afterAll(async () => {
  mailer?.close();
  await new Promise<void>((resolve) => smtp.close(resolve));
  await database?.close();
  await rm(folder, { recursive: true, force: true });
});

beforeEach(async () => {
  await database.db.delete(outbox);
  received.length = 0;
  refusal = undefined;
});

async function makeWorkspace(): Promise<string> {
  const { db } = database;
  const [organization] = await db.insert(organizations).values({ name: 'Alpha' }).returning();
  const row = { organizationId: organization?.id ?? '', name: 'one', seatId: 'one' };
  const [workspace] = await db.insert(workspaces).values(row).returning();
  return workspace?.id ?? '';
}

function outboxWith(sending: Mailer): { service: OutboxService; sender: OutboxSender } {
  const queue = new InProcessWorkQueue(silentLogger());
  const leases = new Leases(database.db, 60_000);
  return {
    service: new OutboxService(database.db, sending, queue),
    sender: new OutboxSender(database.db, sending, leases, new Metrics()),
  };
}

const post = {
  kind: 'import_failed',
  recipient: 'someone@example.com',
  subject: 'An import failed',
  body: 'Mend the file.',
  html: '<p>Mend the file.</p>',
  thread: 'import:1',
};

describe('OutboxService', () => {
  it('keeps mails for nobody, whoever could send them', async () => {
    await outboxWith(mailer).service.post({ ...post, workspaceId, recipient: NOBODY });
    expect(await database.db.select().from(outbox)).toMatchObject([{ state: 'kept' }]);
  });

  it('keeps mails where there is no mail server', async () => {
    const none = createMailer({ from: FROM });
    const { service, sender } = outboxWith(none);
    await service.post({ ...post, workspaceId });
    expect(await sender.sendWaiting(never)).toBe(0);
    expect(await database.db.select().from(outbox)).toMatchObject([{ state: 'kept' }]);
  });
});

describe('OutboxSender', () => {
  it('sends each waiting mail once, however many send at the same time', async () => {
    const { service } = outboxWith(mailer);
    const recipients = Array.from({ length: 12 }, (_, index) => `reader${index}@example.com`);
    for (const recipient of recipients) await service.post({ ...post, workspaceId, recipient });
    const senders = [1, 2, 3].map(() => outboxWith(mailer).sender.sendWaiting(never));
    const sent = await Promise.all(senders);
    expect(sent.reduce((sum, each) => sum + each, 0)).toBe(12);
    expect([...received].sort((a, b) => a.localeCompare(b))).toEqual(
      [...recipients].sort((a, b) => a.localeCompare(b)),
    );
    expect(await database.db.$count(outbox, eq(outbox.state, 'sent'))).toBe(12);
  });

  it('tries again later what the server did not take just now, and says why', async () => {
    const { service, sender } = outboxWith(mailer);
    await service.post({ ...post, workspaceId });
    refusal = 451;
    expect(await sender.sendWaiting(never)).toBe(0);
    const [waiting] = await database.db.select().from(outbox);
    expect(waiting).toMatchObject({ state: 'waiting', attempts: 1, leaseOwner: null });
    expect(waiting?.error).toMatch(/did not take the mail .*451/);
    expect(waiting?.error).not.toContain('someone');
    refusal = undefined;
    expect(await sender.sendWaiting(never)).toBe(0);
    await database.db.update(outbox).set({ notBefore: sql`now()` });
    expect(await sender.sendWaiting(never)).toBe(1);
    expect(await database.db.select().from(outbox)).toMatchObject([{ state: 'sent', error: null }]);
  });

  it('gives up a mail that the server refuses for good', async () => {
    const { service, sender } = outboxWith(mailer);
    await service.post({ ...post, workspaceId });
    refusal = 550;
    expect(await sender.sendWaiting(never)).toBe(0);
    expect(await database.db.select().from(outbox)).toMatchObject([{ state: 'failed', attempts: 1 }]);
  });

  it('takes over a mail whose sender died', async () => {
    const { service, sender } = outboxWith(mailer);
    await service.post({ ...post, workspaceId });
    const dead = '00000000-0000-4000-8000-000000000000';
    const hold = (until: string) =>
      database.db.update(outbox).set({ leaseOwner: dead, leaseUntil: sql`now() + ${until}::interval` });
    await hold('1 minute');
    expect(await sender.sendWaiting(never)).toBe(0);
    await hold('-1 second');
    expect(await sender.sendWaiting(never)).toBe(1);
  });

  it('waits longer after every try, up to four hours', () => {
    expect([1, 2, 3, 9, 12].map((tries) => pauseAfter(tries) / 60_000)).toEqual([1, 2, 4, 240, 240]);
  });
});
