import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { and, eq } from 'drizzle-orm';
import fc from 'fast-check';
import { temporaryPglite, type TemporaryDatabase } from '../../../test/support/databases.js';
import {
  seedAudience,
  seedProfiles,
  seedWorkspace,
  type SeededWorkspace,
} from '../../../test/support/seed.js';
import { temporaryWarehouse } from '../../../test/support/warehouse.js';
import { SystemClock } from '../../platform/clock/index.js';
import {
  audiences,
  audienceVersions,
  connections,
  deliveries,
  deliveryBatches,
  erasureReceipts,
  erasures,
  outputs,
} from '../../platform/database/index.js';
import { Leases } from '../../platform/lease/index.js';
import { silentLogger } from '../../platform/log/index.js';
import { InProcessWorkQueue } from '../../platform/queue/index.js';
import type { Warehouse } from '../../platform/warehouse/index.js';
import { DeliveryPlanner } from '../deliveries/index.js';
import { Ledger } from '../ledger/index.js';
import { ErasurePeople } from './erasure-people.js';
import { ErasureRunner } from './erasure-runner.js';
import { ForgetPeople } from './forget-people.js';
import { LeaveAudiences } from './leave-audiences.js';
import { Receipts } from './receipts.js';

/** Runs of the property; each does a whole erasure. */
const RUNS = 5;
const CLOCK = new SystemClock();
const [ANN, BOB] = ['-7', '9'];

let database: TemporaryDatabase;
let warehouse: Warehouse;
let closeWarehouse: () => Promise<void>;

beforeAll(async () => {
  database = await temporaryPglite();
  ({ warehouse, close: closeWarehouse } = await temporaryWarehouse());
}, 60_000);
afterAll(async () => {
  await closeWarehouse();
  await database.close();
});

/** Where the process dies: at the nth thing it asks of the warehouse, before or after it is done. */
interface Death {
  at: number;
  after: boolean;
}

/** The runner of a process, and how often it asked the warehouse. */
function runnerOn(death?: Death) {
  let asked = 0;
  const die = async <T>(ask: () => Promise<T>): Promise<T> => {
    asked += 1;
    if (asked === death?.at) {
      if (death.after) await ask();
      throw new Error('the process died');
    }
    return ask();
  };
  const engine: Warehouse = {
    ...warehouse,
    command: (statement, options) => die(() => warehouse.command(statement, options)),
    query: (statement, options) => die(() => warehouse.query(statement, options)),
  };
  const { db } = database;
  const queue = new InProcessWorkQueue(silentLogger());
  const leases = new Leases(db, 60_000);
  const ledger = new Ledger(engine);
  const people = new ErasurePeople(db, engine);
  const base = { db, warehouse: engine, ledger, leases, clock: CLOCK };
  const runner = new ErasureRunner({
    ...base,
    queue,
    people,
    log: silentLogger(),
    planner: new DeliveryPlanner(db, queue),
    audiences: new LeaveAudiences(base),
    receipts: new Receipts(db, engine, CLOCK),
    forgetting: new ForgetPeople({ db, warehouse: engine, leases, people }),
  });
  return { runner, people, asked: () => asked };
}

interface Scene {
  workspace: SeededWorkspace;
  audienceId: number;
  connectionId: string;
  id: string;
}

/** Ann and Bob in an audience that a paused partner has, and the request to erase Ann. */
async function scene(): Promise<Scene> {
  const { db } = database;
  const workspace = await seedWorkspace(db);
  await seedProfiles(warehouse, workspace, [
    { mpid: ANN, identities: { email: ['ann@example.com'], phone: ['+12025550101'] } },
    { mpid: BOB, identities: { email: ['bob@example.com'] } },
  ]);
  await warehouse.command(
    `INSERT INTO attributes VALUES (${workspace.number}, ${ANN}, 'party', 'Party', 'Green', 1)`,
  );
  const audienceId = await seedAudience({ db, warehouse }, workspace, { states: [[ANN, BOB]] });
  const of = { workspaceId: workspace.id, settings: {} };
  const [output] = await db
    .insert(outputs)
    .values({ ...of, plugin: 'webhook', name: 'Partner' })
    .returning();
  const [connection] = await db
    .insert(connections)
    .values({ ...of, audienceId, outputId: output?.id ?? '', status: 'inactive', deliveredVersion: 1 })
    .returning();
  const [erasure] = await db
    .insert(erasures)
    .values({ workspaceId: workspace.id, kind: 'erase', given: 1 })
    .returning();
  const id = erasure?.id ?? '';
  const email = { type: 'email', value: 'ann@example.com' } as const;
  await runnerOn().people.aimAt({ id, workspace: workspace.number }, [email]);
  return { workspace, audienceId, connectionId: connection?.id ?? '', id };
}

/** The partner takes what was waiting for it. */
async function deliver({ workspace, connectionId }: Scene): Promise<void> {
  const { db } = database;
  const to = { toVersion: 2, state: 'delivered', planned: 1, accepted: 1, finishedAt: new Date() } as const;
  const [delivery] = await db
    .insert(deliveries)
    .values({ workspaceId: workspace.id, connectionId, fromVersion: 1, ...to })
    .returning();
  const ends = { firstMpid: BigInt(ANN ?? 0), lastMpid: BigInt(ANN ?? 0) };
  const counts = { accepted: 1, rejected: 0, skipped: 0 };
  await db.insert(deliveryBatches).values({
    deliveryId: delivery?.id ?? '',
    position: 1,
    operation: 'remove',
    batchId: 'batch',
    ...ends,
    ...counts,
  });
  await db.update(connections).set({ deliveredVersion: 2 }).where(eq(connections.id, connectionId));
}

async function stateOf(id: string) {
  const [row] = await database.db.select().from(erasures).where(eq(erasures.id, id));
  return row;
}

const never = new AbortController().signal;

/** Runs until the end, as the sweep would; the partner answers once it is waited for. */
async function finish(at: Scene, death?: Death): Promise<number> {
  const dying = runnerOn(death);
  let { runner } = dying;
  let answered = false;
  for (let round = 0; round < 10; round += 1) {
    await runner.run(at.id, never);
    const row = await stateOf(at.id);
    if (row?.state === 'done') return dying.asked();
    if (row?.state === 'waiting' && row.error === null && !answered) {
      answered = true;
      await deliver(at);
    } else runner = runnerOn().runner;
  }
  throw new Error(`It did not end: ${JSON.stringify(await stateOf(at.id))}`);
}

async function left({ workspace, audienceId, id }: Scene) {
  const { db } = database;
  const count = async (from: string) => {
    const [row] = await warehouse.query<{ n: string }>(`SELECT count() AS n FROM ${from}`);
    return Number(row?.n);
  };
  const of = `FINAL WHERE workspace = ${workspace.number}`;
  const [audience] = await db.select().from(audiences).where(eq(audiences.id, audienceId));
  const versions = await db.$count(audienceVersions, eq(audienceVersions.audienceId, audienceId));
  const [receipt] = await db.select().from(erasureReceipts).where(eq(erasureReceipts.erasureId, id));
  const noBatch = and(eq(deliveryBatches.firstMpid, BigInt(ANN ?? 0)));
  return {
    profiles: await count(`profiles ${of}`),
    identities: await count(`identities ${of}`),
    attributes: await count(`attributes ${of}`),
    targets: await count(`erasure_targets ${of}`),
    leaving: await count(`erasure_profiles ${of}`),
    // An e-mail with four hash forms, a phone with four of each of its three spellings.
    suppressions: await count(`suppressions ${of}`),
    ledger: await count(`ledger WHERE audience_id = ${audienceId}`),
    audience: [audience?.version, audience?.size, versions],
    receipt: [receipt?.state, receipt?.sent, receipt?.accepted, receipt?.rejected],
    published: (await stateOf(id))?.audiences,
    batches: await db.$count(deliveryBatches, noBatch),
  };
}

const DONE = {
  profiles: 1,
  identities: 1,
  attributes: 0,
  targets: 0,
  leaving: 0,
  suppressions: 5 + 13,
  ledger: 1,
  audience: [2, 1, 2],
  receipt: ['answered', 1, 1, 0],
  published: 1,
  batches: 0,
};

describe('an erasure', () => {
  it('ends the same wherever the process dies', async () => {
    const whole = await scene();
    const steps = await finish(whole);
    expect(await left(whole)).toEqual(DONE);
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: steps }), fc.boolean(), async (at, after) => {
        const cut = await scene();
        await finish(cut, { at, after });
        expect(await left(cut)).toEqual(DONE);
      }),
      { numRuns: RUNS },
    );
  }, 120_000);

  it('keeps its hands off another workspace with the same people', async () => {
    const [one, other] = [await scene(), await scene()];
    await finish(one);
    expect(await left(other)).toMatchObject({
      profiles: 3,
      identities: 3,
      attributes: 1,
      suppressions: 0,
      ledger: 2,
      audience: [1, 2, 1],
    });
  }, 60_000);
});
