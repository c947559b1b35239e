import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { asc, isNull } from 'drizzle-orm';
import * as fc from 'fast-check';
import type { TemporaryDatabase } from '../../../test/support/databases.js';
import type { NoticeKind } from '../../domain/notices/index.js';
import { TestClock } from '../../platform/clock/testing/test-clock.js';
import {
  mailStreams,
  notices,
  notificationChoices,
  organizations,
  outbox,
  users,
  workspaces,
  type Database,
} from '../../platform/database/index.js';
import { silentLogger } from '../../platform/log/index.js';
import { createMailer } from '../../platform/mail/index.js';
import { InProcessWorkQueue } from '../../platform/queue/index.js';
import { NOBODY, OutboxService } from '../outbox/index.js';
import { MailStreams } from './mail-streams.js';
import { Notices } from './notices.service.js';
import { Recipients } from './recipients.js';

const MINUTE_MS = 60_000;
const GATHER_MS = 15 * MINUTE_MS;
const START = '2026-03-01T10:20:00Z';
const never = new AbortController().signal;

interface Process {
  db: Database;
  service: Notices;
}

/** What holds of notices and mails on either database. */
export function describeNotices(open: () => Promise<TemporaryDatabase>): void {
  let database: TemporaryDatabase;
  let clock: TestClock;
  let service: Notices;
  let streams: MailStreams;
  let organizationId: string;
  let workspaceId: string;
  let otherId: string;
  let emptyId: string;

  beforeAll(async () => {
    database = await open();
    const { db } = database;
    const made = await db
      .insert(organizations)
      .values([{ name: 'Alpha' }, { name: 'Empty' }])
      .returning();
    organizationId = made[0]?.id ?? '';
    const rows = await db
      .insert(workspaces)
      .values([
        { organizationId, name: 'Shop', seatId: '1' },
        { organizationId, name: 'Other', seatId: '2' },
        { organizationId: made[1]?.id ?? '', name: 'Nobody', seatId: '3' },
      ])
      .returning();
    [workspaceId = '', otherId = '', emptyId = ''] = rows.map(({ id }) => id);
  }, 60_000);

  afterAll(() => database.close());

  beforeEach(async () => {
    const { db } = database;
    for (const table of [notices, outbox, mailStreams, users]) await db.delete(table);
    clock = new TestClock(START);
    ({ streams, service } = processOn(db));
  });

  function processOn(db: Database) {
    const queue = new InProcessWorkQueue(silentLogger());
    const mail = new OutboxService(db, createMailer({ from: 'hub@example.com' }), queue);
    const recipients = new Recipients();
    const config = { mailGatherMs: GATHER_MS, publicUrl: 'https://hub.example.com' };
    const own = new MailStreams(db, clock, config, mail, recipients);
    return { db, streams: own, service: new Notices(clock, recipients, own, mail) };
  }

  async function person(email: string, more: Partial<typeof users.$inferInsert> = {}): Promise<string> {
    const row = {
      organizationId,
      workspaceId: null,
      email,
      name: 'Somebody',
      role: 'admin' as const,
      ...more,
    };
    const [user] = await database.db.insert(users).values(row).returning();
    return user?.id ?? '';
  }

  const chosen = (row: typeof notificationChoices.$inferInsert) =>
    database.db.insert(notificationChoices).values(row);

  let occasions = 0;
  /** Tells of something new in its own transaction; `cut`: the process dies before that is committed. */
  async function tell(
    kind: NoticeKind,
    more: { onceKey?: string; cut?: boolean; workspaceId?: string; by?: Process } = {},
  ) {
    occasions += 1;
    const line = `thing ${occasions}`;
    const content = { headline: line, message: `${line} happened`, facts: [], next: [], line };
    const { by = { db: database.db, service }, cut = false, ...changes } = more;
    const notice = { workspaceId, kind, onceKey: `thing:${occasions}#x`, content, ...changes };
    const work = by.db.transaction(async (tx) => {
      await by.service.tell(tx, notice);
      if (cut) throw new Error('killed');
    });
    if (cut) await expect(work).rejects.toThrow('killed');
    else await work;
  }

  async function gatherAfter(ms: number): Promise<void> {
    clock.advance(ms);
    await streams.gatherDue(never);
  }

  const mails = () => database.db.select().from(outbox).orderBy(asc(outbox.createdAt));
  const subjects = async () => (await mails()).map(({ subject }) => subject);

  describe('who is told', () => {
    it('is the admins of the workspace and of its organization, each address once', async () => {
      await person('Own@example.com', { workspaceId });
      await person('all@example.com');
      await person('ALL@example.com', { workspaceId });
      await person('editor@example.com', { role: 'editor' });
      await person('elsewhere@example.com', { workspaceId: otherId });
      await tell('import_failed');
      expect((await mails()).map(({ recipient }) => recipient).sort((a, b) => a.localeCompare(b))).toEqual([
        'all@example.com',
        'own@example.com',
      ]);
    });

    it('is nobody where there is no admin, and the mail is kept', async () => {
      await tell('import_failed', { workspaceId: emptyId });
      expect(await mails()).toMatchObject([{ recipient: NOBODY, state: 'kept', workspaceId: emptyId }]);
    });

    it('is not somebody who chose off, in that workspace, of that kind or the one that it goes with', async () => {
      const userId = await person('all@example.com');
      await chosen({ userId, workspaceId: null, kind: 'import_failed', choice: 'off' });
      await chosen({ userId, workspaceId: otherId, kind: 'import_failed', choice: 'immediate' });
      await tell('import_failed');
      expect(await subjects()).toEqual([]);
      await tell('import_held');
      await tell('import_failed', { workspaceId: otherId });
      expect(await mails()).toMatchObject([{ kind: 'import_held' }, { workspaceId: otherId }]);
      // Counts that differ go by the choice for faults where nothing is chosen for them.
      await chosen({ userId, workspaceId: null, kind: 'connection_faulted', choice: 'off' });
      await tell('count_differs');
      expect(await mails()).toHaveLength(2);
      await chosen({ userId, workspaceId: null, kind: 'count_differs', choice: 'immediate' });
      await tell('count_differs');
      expect(await mails()).toHaveLength(3);
    });

    it('drops what waits for somebody who may not know of it any more', async () => {
      await person('gone@example.com');
      await tell('import_failed');
      await tell('import_failed');
      await database.db.delete(users);
      await gatherAfter(GATHER_MS);
      expect(await mails()).toHaveLength(1);
      expect(await database.db.$count(notices, isNull(notices.gatheredAt))).toBe(0);
    });
  });

  describe('a storm', () => {
    it('is one mail at once and one for all that follows, with counts and the first twenty lines', async () => {
      await person('all@example.com');
      for (let n = 0; n < 200; n += 1) await tell('import_failed');
      expect(await mails()).toHaveLength(1);
      await gatherAfter(GATHER_MS - 1);
      expect(await mails()).toHaveLength(1);
      await gatherAfter(1);
      const [, second] = await mails();
      expect(second?.subject).toBe('Shop: 199 imports failed');
      expect(second?.body.match(/^- thing/gm)).toHaveLength(20);
      expect(second?.body).toContain('and 179 more');
      await gatherAfter(GATHER_MS);
      await gatherAfter(GATHER_MS);
      expect(await mails()).toHaveLength(2);
    });

    it('of one kind does not keep back another kind, another workspace or what is asked for', async () => {
      await person('all@example.com');
      for (const kind of [
        'import_failed',
        'import_failed',
        'import_held',
        'export_ready',
        'export_ready',
      ] as const) {
        await tell(kind);
      }
      await tell('import_failed', { workspaceId: otherId });
      const kinds = (await mails()).map(({ kind }) => kind ?? '');
      expect(kinds.sort((a, b) => a.localeCompare(b))).toEqual([
        'export_ready',
        'export_ready',
        'import_failed',
        'import_failed',
        'import_held',
      ]);
    });

    it('is over after the span: the next one goes out at once again', async () => {
      await person('all@example.com');
      await tell('import_failed');
      await gatherAfter(GATHER_MS);
      await tell('import_failed');
      expect(await mails()).toHaveLength(2);
    });

    it('tells of the same occasion once', async () => {
      await person('all@example.com');
      await tell('import_failed', { onceKey: 'same#a' });
      await tell('import_failed', { onceKey: 'same#a' });
      await gatherAfter(GATHER_MS);
      expect(await mails()).toHaveLength(1);
    });
  });

  describe('a digest', () => {
    it('comes at the full hour with everything of the workspace', async () => {
      const userId = await person('all@example.com', { digestEvery: 'hour' });
      for (const kind of ['import_failed', 'connection_faulted'] as const) {
        await chosen({ userId, workspaceId: null, kind, choice: 'digest' });
      }
      await tell('import_failed');
      await tell('connection_faulted');
      await tell('import_failed');
      await gatherAfter(39 * MINUTE_MS);
      expect(await subjects()).toEqual([]);
      await gatherAfter(MINUTE_MS);
      expect(await subjects()).toEqual(['Shop: 2 imports failed, 1 connection has a fault']);
      await tell('import_failed');
      await gatherAfter(59 * MINUTE_MS);
      expect(await mails()).toHaveLength(1);
      await gatherAfter(MINUTE_MS);
      expect(await mails()).toHaveLength(2);
    });

    it('comes once a day where nothing else is chosen', async () => {
      const userId = await person('all@example.com');
      await chosen({ userId, workspaceId, kind: 'import_failed', choice: 'digest' });
      await tell('import_failed');
      await gatherAfter(19 * 60 * MINUTE_MS);
      expect(await mails()).toEqual([]);
      await gatherAfter(40 * MINUTE_MS);
      expect(await subjects()).toEqual(['Shop: 1 import failed']);
    });
  });

  describe('two processes', () => {
    it('that tell and gather at the same time send no mail twice and lose none', async () => {
      await person('all@example.com');
      const other = processOn(database.another().db);
      const both = [{ db: database.db, service }, other];
      await Promise.all(Array.from({ length: 30 }, (_, n) => tell('import_failed', { by: both[n % 2] })));
      expect(await mails()).toHaveLength(1);
      clock.advance(GATHER_MS);
      await Promise.all([streams, other.streams].map((each) => each.gatherDue(never)));
      expect(await subjects()).toEqual([expect.stringMatching(/^thing/), 'Shop: 29 imports failed']);
    });
  });

  describe('notices and mails', () => {
    type Step =
      { what: 'tell'; kind: NoticeKind; cut: boolean } | { what: 'wait'; minutes: number; twice: boolean };
    const step: fc.Arbitrary<Step> = fc.oneof(
      fc.record({
        what: fc.constant('tell' as const),
        kind: fc.constantFrom<NoticeKind>('import_failed', 'import_held', 'connection_faulted'),
        cut: fc.boolean(),
      }),
      fc.record({
        what: fc.constant('wait' as const),
        minutes: fc.integer({ min: 0, max: 40 }),
        twice: fc.boolean(),
      }),
    );

    it('agree whatever is told, cut off and gathered: each notice is in one mail, and no storm in many', async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
          const { db } = database;
          for (const table of [notices, outbox, mailStreams, users]) await db.delete(table);
          clock.set(START);
          await person('now@example.com');
          const userId = await person('later@example.com', { digestEvery: 'hour' });
          await chosen({ userId, workspaceId: null, kind: 'import_held', choice: 'digest' });
          let told = 0;
          let minutes = 0;
          for (const each of steps) {
            if (each.what === 'tell') {
              await tell(each.kind, { cut: each.cut });
              if (!each.cut) told += 1;
              continue;
            }
            minutes += each.minutes;
            clock.advance(each.minutes * MINUTE_MS);
            await Promise.all([1, ...(each.twice ? [2] : [])].map(() => streams.gatherDue(never)));
          }
          await gatherAfter(2 * 60 * MINUTE_MS);
          const rows = await db.select().from(notices);
          expect(rows).toHaveLength(2 * told);
          expect(rows.every(({ mailId }) => mailId !== null)).toBe(true);
          const written = await mails();
          expect(new Set(rows.map(({ mailId }) => mailId)).size).toBe(written.length);
          for (const recipient of ['now@example.com', 'later@example.com']) {
            for (const kind of ['import_failed', 'import_held', 'connection_faulted', 'digest']) {
              const own = written.filter((mail) => mail.recipient === recipient && mail.kind === kind);
              expect(own.length).toBeLessThanOrEqual(Math.floor(minutes / 15) + 2);
            }
          }
        }),
        { numRuns: 15 },
      );
    });
  });
}
