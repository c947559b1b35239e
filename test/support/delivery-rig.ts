import { randomBytes, randomUUID } from 'node:crypto';
import { and, eq, inArray } from 'drizzle-orm';
import { plugins } from '../../plugins/index.js';
import { codeOf, identityHashSql } from '../../src/domain/identities/index.js';
import { DeliveryJournal } from '../../src/features/deliveries/delivery-journal.js';
import { DeliveryPlanner } from '../../src/features/deliveries/delivery-planner.js';
import { DeliveryRunner } from '../../src/features/deliveries/delivery-runner.js';
import { DeliverySweep } from '../../src/features/deliveries/delivery-sweep.js';
import { LearnedIdentities } from '../../src/features/deliveries/learned-identities.js';
import { PartnerLines } from '../../src/features/deliveries/partner-lines.js';
import { FaultLog, FaultsService } from '../../src/features/faults/index.js';
import { appendIdentityChanges, Ledger } from '../../src/features/ledger/index.js';
import type { Principal } from '../../src/features/tenancy/index.js';
import { ContextFactory } from '../../src/host/context/index.js';
import { AccessTokens } from '../../src/host/oauth2/index.js';
import { DEFAULT_CALL_PACING, RateBudgets } from '../../src/host/outputs/index.js';
import { PluginRegistry } from '../../src/host/registry/index.js';
import type { AnyConnector } from '../../src/kit/index.js';
import { MemoryBudgetStore } from '../../src/platform/budget/index.js';
import { TestClock } from '../../src/platform/clock/testing/test-clock.js';
import { SecretBox } from '../../src/platform/crypto/index.js';
import {
  audiences,
  audienceVersions,
  connections,
  deliveries,
  faults,
  organizations,
  outputs,
  workspaces,
  type Database,
} from '../../src/platform/database/index.js';
import { Destinations } from '../../src/platform/files/index.js';
import { EgressClient, EgressGuard } from '../../src/platform/http/index.js';
import { Metrics } from '../../src/platform/metrics/index.js';
import { Leases, WorkLease } from '../../src/platform/lease/index.js';
import { silentLogger } from '../../src/platform/log/index.js';
import type { Job, WorkQueue } from '../../src/platform/queue/index.js';
import { temporaryPglite, type TemporaryDatabase } from './databases.js';
import { faultMail } from './fault-mail.js';
import { removalsOf } from './removal-parts.js';
import { temporaryWarehouse } from './warehouse.js';

/** The one who resumes. */
export const ADMIN: Principal = {
  keyId: randomUUID(),
  name: 'the admin',
  role: 'admin',
  scope: { kind: 'hub' },
};

/** A queue that only remembers hints of deliveries, so that a test decides when work is done. */
class HintList implements Pick<WorkQueue, 'enqueue'> {
  readonly ids: string[] = [];

  async enqueue({ kind, id }: Job): Promise<void> {
    if (kind === 'delivery' && !this.ids.includes(id)) this.ids.push(id);
  }
}

/** Time of the database is the machine's, so the rig's clock starts well before it: back-off is the clock's alone. */
const START = '2020-01-01T00:00:00Z';

const LEASE_MS = 60_000;

/** The parts of one process that delivers. */
function processOf(
  db: Database,
  clock: TestClock,
  ledger: Ledger,
  http: EgressClient,
  connectors: AnyConnector[],
) {
  const guard = new EgressGuard({ allowPrivate: true });
  const log = silentLogger();
  const secretBox = new SecretBox(randomBytes(32));
  const destinations = new Destinations({ guard });
  const registry = new PluginRegistry(connectors);
  const slept = { ms: 0 };
  const leases = new Leases(db, LEASE_MS, () => performance.now() + slept.ms);
  const contexts = new ContextFactory({
    registry,
    http,
    destinations,
    secretBox,
    reach: { guard },
    clock,
    log,
    tokens: new AccessTokens(db, leases, secretBox, clock),
  });
  const queue = new HintList() as HintList & WorkQueue;
  const lease = new WorkLease(db, leases, 'delivery');
  const planner = new DeliveryPlanner(db, queue);
  const learning = new LearnedIdentities(db, ledger, registry, queue);
  const metrics = new Metrics();
  const mail = faultMail(db, queue, clock);
  const faultLog = new FaultLog(clock, mail);
  const journal = new DeliveryJournal(db, lease, faultLog, clock, metrics, () => 0.5);
  const budgets = new RateBudgets(new MemoryBudgetStore(() => clock.now().getTime()), 0);
  const lines = new PartnerLines(contexts, budgets);
  const removals = removalsOf({
    db,
    ledger,
    lease,
    journal,
    registry,
    contexts,
    lines,
    queue,
    clock,
    faultLog,
  });
  const pacing = { ...DEFAULT_CALL_PACING };
  const runner = new DeliveryRunner({
    metrics,
    db,
    ledger,
    lease,
    journal,
    planner,
    learning,
    removals,
    lists: removals.lists,
    faults: faultLog,
    lines,
    queue,
    clock,
    log,
    pacing,
  });
  const sweep = new DeliverySweep({ db, lease, planner, learning, removals: removals.planner, queue, clock });
  return {
    queue,
    planner,
    learning,
    runner,
    sweep,
    secretBox,
    pacing,
    slept,
    faults: new FaultsService(db, queue, clock, mail),
    removals,
  };
}

/** Deliveries on the embedded engines, with a clock of their own and real HTTP. One a spec file. */
export class DeliveryRig {
  readonly clock = new TestClock(START);
  readonly db: Database;
  readonly ledger: Ledger;
  readonly hub: ReturnType<typeof processOf>;
  workspaceId = '';
  workspace = 0;

  private constructor(
    private readonly database: TemporaryDatabase,
    private readonly warehouse: Awaited<ReturnType<typeof temporaryWarehouse>>,
    private readonly http: EgressClient,
    connectors: AnyConnector[],
  ) {
    this.db = database.db;
    this.ledger = new Ledger(warehouse.warehouse);
    this.hub = processOf(this.db, this.clock, this.ledger, http, connectors);
  }

  static async start(extra: AnyConnector[] = []): Promise<DeliveryRig> {
    const guard = new EgressGuard({ allowPrivate: true });
    const [database, warehouse] = [await temporaryPglite(), await temporaryWarehouse()];
    const rig = new DeliveryRig(database, warehouse, new EgressClient({ guard }), [...plugins, ...extra]);
    await rig.makeWorkspace();
    return rig;
  }

  async stop(): Promise<void> {
    await this.http.close();
    await this.database.close();
    await this.warehouse.close();
  }

  get engine() {
    return this.warehouse.warehouse;
  }

  /** An audience without a version. */
  async audience(name = 'Spring buyers'): Promise<number> {
    const row = { workspaceId: this.workspaceId, name, kind: 'imported' as const };
    return first(await this.db.insert(audiences).values(row).returning()).id;
  }

  /** Publishes the members as the next version. Everybody has an e-mail but those in `bare`. */
  async publish(
    audienceId: number,
    members: Iterable<number>,
    bare: readonly number[] = [],
  ): Promise<number> {
    const { version: from } = first(
      await this.db.select().from(audiences).where(eq(audiences.id, audienceId)),
    );
    const next = [...members];
    const before = await this.membersAt(audienceId, from);
    const after = new Set(next);
    const version = from + 1;
    const changes = [
      ...next.filter((mpid) => !before.has(mpid)).map((mpid) => [mpid, 1]),
      ...[...before].filter((mpid) => !after.has(mpid)).map((mpid) => [mpid, -1]),
    ];
    if (changes.length > 0) {
      const values = changes.map(([mpid, sign]) => `(${audienceId}, ${mpid}, ${version}, ${sign}, now64(3))`);
      await this.engine.command(`INSERT INTO ledger VALUES ${values.join(', ')}`);
    }
    const known = next.filter((mpid) => !bare.includes(mpid));
    const people = known.map(
      (mpid) => `(${this.workspace}, ${mpid}, ${codeOf('email')}, 'p${mpid}@example.com')`,
    );
    if (people.length > 0) await this.engine.command(`INSERT INTO profiles VALUES ${people.join(', ')}`);
    const removed = [...before].filter((mpid) => !after.has(mpid)).length;
    const added = changes.length - removed;
    await this.db.insert(audienceVersions).values({ audienceId, version, size: after.size, added, removed });
    await this.db.update(audiences).set({ version, size: after.size }).where(eq(audiences.id, audienceId));
    return version;
  }

  /** Profiles learn e-mail addresses, as an import would teach them. */
  async teach(learned: ReadonlyMap<number, string>): Promise<void> {
    const email = codeOf('email');
    const rows = [...learned].map(([mpid, value]) => `(${this.workspace}, ${mpid}, ${email}, '${value}')`);
    await this.engine.command(`INSERT INTO profiles VALUES ${rows.join(', ')}`);
    const values = [...learned].map(([mpid, value]) => `(toInt64(${mpid}), '${value}')`).join(', ');
    const select = `SELECT one.1 AS mpid, ${email} AS type, ${identityHashSql('email', 'one.2')} AS hash, one.2 AS value, 1 AS sign
      FROM (SELECT arrayJoin([${values}]) AS one)`;
    const sequence = await appendIdentityChanges(this.engine, this.workspace, select);
    await this.db
      .update(workspaces)
      .set({ identitySequence: sequence ?? fail('nothing taught') })
      .where(eq(workspaces.id, this.workspaceId));
  }

  /** A profile has a phone besides; nobody is told. */
  async teachPhone(mpid: number, value: string): Promise<void> {
    await this.engine.command(
      `INSERT INTO profiles VALUES (${this.workspace}, ${mpid}, ${codeOf('phone')}, '${value}')`,
    );
  }

  async output(plugin: string, settings: Record<string, unknown>, credentials?: Record<string, unknown>) {
    const id = randomUUID();
    const sealed = credentials ? this.hub.secretBox.seal(JSON.stringify(credentials), id) : null;
    const row = { id, workspaceId: this.workspaceId, plugin, name: plugin, settings, credentials: sealed };
    await this.db.insert(outputs).values(row);
    return id;
  }

  /** An active connection to a webhook at `url`, in batches of 100. */
  async connectWebhook(audienceId: number, url: string): Promise<string> {
    return this.connect(
      audienceId,
      await this.output('webhook', { url, batchSize: 100 }, { secret: 'shared-with-the-sink' }),
    );
  }

  /** @param variantId of an A/B test of the audience; null: the full audience */
  async connect(audienceId: number, outputId: string, variantId: string | null = null): Promise<string> {
    const row = { workspaceId: this.workspaceId, audienceId, outputId, variantId, status: 'active' as const };
    return first(await this.db.insert(connections).values(row).returning()).id;
  }

  /** Works on what is due by the rig's clock until nothing is. */
  async work(signal: AbortSignal = new AbortController().signal): Promise<void> {
    for (let id = this.hub.queue.ids.shift(); id !== undefined; id = this.hub.queue.ids.shift()) {
      await this.hub.runner.run(id, signal);
      if (signal.aborted) return;
    }
  }

  /** A version was published: plan, and work. */
  async wake(audienceId: number): Promise<void> {
    await this.hub.planner.wake(audienceId);
    await this.work();
  }

  /** What a scheduler does every minute, `ms` later. */
  async sweepAfter(ms: number): Promise<void> {
    this.clock.advance(ms);
    await this.hub.sweep.run();
    await this.work();
  }

  async delivery(connectionId: string) {
    const rows = await this.db
      .select()
      .from(deliveries)
      .where(eq(deliveries.connectionId, connectionId))
      .orderBy(deliveries.toVersion);
    return rows.at(-1) ?? fail('no delivery');
  }

  async connection(id: string) {
    return first(await this.db.select().from(connections).where(eq(connections.id, id)));
  }

  async faults(connectionId: string, open = true) {
    const rows = await this.db.select().from(faults).where(eq(faults.connectionId, connectionId));
    return rows.filter(({ resolvedAt }) => (resolvedAt === null) === open);
  }

  /** A process that is killed: it never lets go of its lease, which then runs out. */
  async killed(connectionId: string): Promise<void> {
    await this.db
      .update(deliveries)
      .set({ state: 'running', leaseOwner: randomUUID(), leaseUntil: new Date(0) })
      .where(
        and(eq(deliveries.connectionId, connectionId), inArray(deliveries.state, ['queued', 'running'])),
      );
  }

  /** A process that slept until its lease had run out and somebody else had taken the delivery, who is dead by now. */
  async outslept(connectionId: string): Promise<void> {
    this.hub.slept.ms += LEASE_MS;
    await this.killed(connectionId);
  }

  private async membersAt(audienceId: number, version: number): Promise<Set<number>> {
    const key = { audienceId, workspace: this.workspace };
    const request = { after: null, limit: 1_000_000, forms: [] };
    const { members } = await this.ledger.page(key, { what: 'members', version }, request);
    return new Set(members.map(({ mpid }) => Number(mpid)));
  }

  private async makeWorkspace(): Promise<void> {
    const organization = first(await this.db.insert(organizations).values({ name: 'Example' }).returning());
    const row = { organizationId: organization.id, name: 'Shop', seatId: '1042' };
    const workspace = first(await this.db.insert(workspaces).values(row).returning());
    [this.workspaceId, this.workspace] = [workspace.id, workspace.number];
  }
}

function first<T>(rows: T[]): T {
  return rows[0] ?? fail('no row');
}

function fail(what: string): never {
  throw new Error(`The rig found ${what}.`);
}
