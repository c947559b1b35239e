import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { eq, like } from 'drizzle-orm';
import { ConnectionsService } from '../src/features/connections/index.js';
import { DeliveryPlanner, PartnerLines } from '../src/features/deliveries/index.js';
import { FaultLog } from '../src/features/faults/index.js';
import { MailStreams, Notices, Recipients } from '../src/features/notices/index.js';
import { OutboxService } from '../src/features/outbox/index.js';
import { ScheduleService } from '../src/features/schedule/index.js';
import { AcceptedMembers } from '../src/features/upkeep/reconciliation/accepted-members.js';
import { DifferenceMail } from '../src/features/upkeep/reconciliation/difference-mail.js';
import { GoneLists } from '../src/features/upkeep/reconciliation/gone-lists.js';
import { ReconcileService } from '../src/features/upkeep/reconciliation/reconcile.service.js';
import { Reconciler } from '../src/features/upkeep/reconciliation/reconciler.js';
import { PluginRegistry } from '../src/host/registry/index.js';
import { SystemClock } from '../src/platform/clock/index.js';
import { connectionUpkeep, notices, outbox, type Database } from '../src/platform/database/index.js';
import { silentLogger } from '../src/platform/log/index.js';
import { createMailer } from '../src/platform/mail/index.js';
import { Metrics } from '../src/platform/metrics/index.js';
import { DATABASE, WAREHOUSE, WORK_QUEUE } from '../src/platform/nest/index.js';
import type { WorkQueue } from '../src/platform/queue/index.js';
import type { Warehouse } from '../src/platform/warehouse/index.js';
import { startDrop, type Drop } from './support/drop.js';
import { Mortal } from './support/mortal.js';
import { Sink } from './support/sink.js';
import { until } from './support/until.js';

interface Connection {
  id: string;
  deliveredVersion: number;
  reconciliation: { verdict: string; toldAt: string | null } | null;
}

const DAY_MS = 86_400_000;
const never = new AbortController().signal;
let drop: Drop;
let db: Database;
let sink: Sink;
let id: string;

beforeAll(async () => {
  sink = await Sink.start();
  drop = await startDrop(undefined, { HUB_ALLOW_PRIVATE_EGRESS: 'true' });
  db = drop.hub.hub.app.get<Database>(DATABASE);
  const { audienceId } = await drop.importOf<{ state: string; audienceId: number }>(
    'Counted.csv',
    'Email\nann@example.com\nben@example.com\ncat@example.com\n',
  );
  const output = await drop.hub.ok<{ id: string }>('POST', '/outputs', {
    workspaceId: drop.workspaceId,
    plugin: 'webhook',
    name: 'Counting',
    settings: { url: sink.url, tellsCount: true },
    credentials: { secret: 'shared-with-the-sink' },
  });
  const body = { outputId: output.id, status: 'active' };
  ({ id } = await drop.hub.ok<Connection>('POST', `/audiences/${audienceId}/connections`, body));
  await until('it is delivered', async () => (await get()).deliveredVersion === 1 || undefined);
}, 120_000);
afterAll(async () => {
  await drop?.stop();
  await sink?.stop();
});

const get = () => drop.hub.ok<Connection>('GET', `/connections/${id}`);

/** The daily check of a process that dies before that statement, or lives. */
async function check(deathAt?: number): Promise<Mortal> {
  const process = new Mortal(deathAt);
  const { app } = drop.hub.hub;
  const own = process.database(db);
  const clock = new SystemClock();
  const log = silentLogger();
  const queue = app.get<WorkQueue>(WORK_QUEUE);
  const mails = new OutboxService(own, createMailer({ from: 'hub@example.com' }), queue);
  const recipients = new Recipients();
  // None is gathered with another, so that each mail can be counted.
  const config = { mailGatherMs: 0, publicUrl: 'https://hub.example.com' };
  const streams = new MailStreams(own, clock, config, mails, recipients);
  const part = <T>(type: abstract new (...parts: never[]) => T) => app.get<T>(type, { strict: false });
  const members = new AcceptedMembers(own, process.engine(app.get<Warehouse>(WAREHOUSE)));
  const gone = new GoneLists(own, part(FaultLog), part(Metrics));
  const mail = new DifferenceMail(clock, new Notices(clock, recipients, streams, mails));
  const reconciler = new Reconciler(own, clock, log, part(PartnerLines), members, gone, mail);
  await new ReconcileService(
    own,
    clock,
    log,
    part(PluginRegistry),
    part(ScheduleService),
    part(ConnectionsService),
    part(DeliveryPlanner),
    reconciler,
  )
    .reconcileAll(never)
    .catch((error: unknown) => {
      if (!process.isDead) throw error;
    });
  return process;
}

/** A day goes by: what was checked today is due again. */
const dayLater = () =>
  db
    .update(connectionUpkeep)
    .set({ reconciledAt: new Date(Date.now() - DAY_MS) })
    .where(eq(connectionUpkeep.connectionId, id));

/** Notices of the connection, and mails; nothing else here writes any. */
const told = async () => [
  await db.$count(notices, like(notices.onceKey, `count:${id}#%`)),
  await db.$count(outbox, eq(outbox.kind, 'count_differs')),
];

/** Both counts agree, and then somebody is gone at the partner. Returns how they come back. */
async function newDifference(): Promise<() => void> {
  const [gone = ''] = sink.members;
  await dayLater();
  await check();
  expect((await get()).reconciliation).toMatchObject({ verdict: 'agrees', toldAt: null });
  await dayLater();
  sink.members.delete(gone);
  return () => void sink.members.add(gone);
}

describe('the mail of a difference', () => {
  it('is written once, wherever the process dies that found it: not twice, and not never', async () => {
    const restoreFirst = await newDifference();
    const { asked } = await check();
    expect((await get()).reconciliation).toMatchObject({ verdict: 'fewer', toldAt: expect.any(String) });
    expect(await told()).toEqual([1, 1]);
    expect(asked).toBeGreaterThan(10);
    restoreFirst();
    for (let at = 1; at <= asked; at += 1) {
      const restore = await newDifference();
      expect([at, (await check(at)).isDead]).toEqual([at, true]);
      // The next run of the same day, and the one of the day after.
      await check();
      const { toldAt } = (await get()).reconciliation ?? {};
      expect([at, await told(), typeof toldAt]).toEqual([at, [at + 1, at + 1], 'string']);
      await dayLater();
      await check();
      expect([at, await told()]).toEqual([at, [at + 1, at + 1]]);
      expect((await get()).reconciliation).toMatchObject({ verdict: 'fewer', toldAt });
      restore();
    }
  }, 240_000);
});
