import { eq } from 'drizzle-orm';
import { FakeMailchimp, LIST_ID } from '../../plugins/mailchimp/fake-mailchimp.js';
import { AudienceCleanUp } from '../../src/features/audiences/index.js';
import { codeOf } from '../../src/domain/identities/index.js';
import { PartnerServer } from '../../src/kit/testing/index.js';
import { audiences, connections, workspaces, type Database } from '../../src/platform/database/index.js';
import { DATABASE, WAREHOUSE } from '../../src/platform/nest/index.js';
import type { Warehouse } from '../../src/platform/warehouse/index.js';
import { startTestHub, type TestHub } from './hub.js';
import { Sink } from './sink.js';
import { makeTenant, type Tenant } from './tenants.js';
import { until } from './until.js';

/** A connection as the API shows it. */
export interface ConnectionSeen {
  id: string;
  status: string;
  deliveredVersion: number;
  openFault: { id: string; code: string } | null;
  lastDelivery: {
    id: string;
    state: string;
    planned: number;
    accepted: number;
    rejected: number;
    skipped: number;
  } | null;
  removal: {
    members: string;
    list: string;
    because: string | null;
    outcome: string | null;
    stays: string[];
    sharedWith: string[];
  } | null;
}

const PATIENCE_MS = 60_000;

/** A hub with a webhook's receiver and a stand-in for Mailchimp, and people who all have an e-mail address. */
export class RemovalScene {
  readonly db: Database;
  private workspace = 0;

  private constructor(
    readonly hub: TestHub,
    readonly tenant: Tenant,
    readonly sink: Sink,
    readonly mailchimp: FakeMailchimp,
    private readonly mailchimpServer: PartnerServer,
  ) {
    this.db = hub.hub.app.get<Database>(DATABASE);
  }

  static async open(): Promise<RemovalScene> {
    const hub = await startTestHub({ HUB_ALLOW_PRIVATE_EGRESS: 'true', HUB_SWEEP_MS: '500' });
    const mailchimp = new FakeMailchimp();
    const server = await PartnerServer.start(mailchimp);
    const scene = new RemovalScene(hub, await makeTenant(hub, 'Shop'), await Sink.start(), mailchimp, server);
    const own = eq(workspaces.id, scene.tenant.workspaceId);
    const [row] = await scene.db.select({ number: workspaces.number }).from(workspaces).where(own);
    scene.workspace = row?.number ?? 0;
    return scene;
  }

  async close(): Promise<void> {
    await this.hub.stop();
    await this.sink.stop();
    await this.mailchimpServer.stop();
  }

  /** An audience whose first version is the people `from` to `to`. */
  async audience(name: string, from: number, to: number): Promise<number> {
    const size = to - from + 1;
    const row = { workspaceId: this.tenant.workspaceId, name, kind: 'imported' as const, version: 1, size };
    const [audience] = await this.db.insert(audiences).values(row).returning();
    if (!audience) throw new Error('The audience was not made.');
    const warehouse = this.hub.hub.app.get<Warehouse>(WAREHOUSE);
    const people = `(SELECT number + ${from} AS n FROM numbers(${size}))`;
    await warehouse.command(`INSERT INTO ledger SELECT ${audience.id}, n, 1, 1, now64(3) FROM ${people}`);
    await warehouse.command(
      `INSERT INTO profiles SELECT ${this.workspace}, n, ${codeOf('email')}, concat('p', toString(n), '@example.com') FROM ${people}`,
    );
    return audience.id;
  }

  /** Publishes the second version of an audience, without the people `from` to `to`. */
  async leave(audienceId: number, from: number, to: number): Promise<void> {
    const warehouse = this.hub.hub.app.get<Warehouse>(WAREHOUSE);
    const people = `numbers(${from}, ${to - from + 1})`;
    await warehouse.command(
      `INSERT INTO ledger SELECT ${audienceId}, number, 2, -1, now64(3) FROM ${people}`,
    );
    await this.db.update(audiences).set({ version: 2 }).where(eq(audiences.id, audienceId));
  }

  webhook(): Promise<string> {
    const settings = { url: this.sink.url, batchSize: 10 };
    return this.output('webhook', settings, { secret: 'shared-with-the-sink' });
  }

  mailchimpOutput(): Promise<string> {
    const settings = { listId: LIST_ID, endpoint: this.mailchimpServer.url };
    return this.output('mailchimp', settings, { apiKey: 'invented-key-us6' });
  }

  /** The people whom the stand-in for Mailchimp has under a tag, by their numbers; undefined: there is no such tag. */
  tagged(tag: string): number[] | undefined {
    const segment = [...this.mailchimp.segments.values()].find(({ name }) => name === tag);
    return (
      segment && [...segment.members].map((address) => Number(/\d+/.exec(address)?.[0])).sort((a, b) => a - b)
    );
  }

  async connect(audienceId: number, outputId: string, body: object = {}): Promise<string> {
    const made = await this.hub.ok<{ id: string }>('POST', `/audiences/${audienceId}/connections`, {
      outputId,
      status: 'active',
      ...body,
    });
    return made.id;
  }

  /** Connects, and waits until the first version is delivered. */
  async delivered(audienceId: number, outputId: string, body: object = {}): Promise<string> {
    const id = await this.connect(audienceId, outputId, body);
    await this.seen(id, ({ deliveredVersion }) => deliveredVersion === 1);
    return id;
  }

  get(id: string): Promise<ConnectionSeen> {
    return this.hub.ok<ConnectionSeen>('GET', `/connections/${id}`);
  }

  seen(id: string, is: (view: ConnectionSeen) => boolean): Promise<ConnectionSeen> {
    return until(
      'the connection is as expected',
      async () => {
        const view = await this.get(id);
        return is(view) ? view : undefined;
      },
      PATIENCE_MS,
    );
  }

  removed(id: string): Promise<ConnectionSeen> {
    return this.seen(id, ({ status }) => status === 'removed');
  }

  /** Waits until the audience and all its connections are gone from the database. */
  async cleanedUp(audienceId: number): Promise<void> {
    await until(
      'the rows are gone',
      async () => (await this.db.$count(audiences, eq(audiences.id, audienceId))) === 0,
      PATIENCE_MS,
    );
    if ((await this.db.$count(connections, eq(connections.audienceId, audienceId))) > 0)
      throw new Error('Connections are left of an audience that is gone.');
  }

  /** What the next sweep does, a minute later. */
  async cleanUp(audienceId: number): Promise<void> {
    await this.hub.hub.app.get(AudienceCleanUp).run(audienceId);
    await this.cleanedUp(audienceId);
  }

  async ledgerRows(audienceId: number): Promise<number> {
    const warehouse = this.hub.hub.app.get<Warehouse>(WAREHOUSE);
    const [row] = await warehouse.query<{ n: string }>(
      `SELECT count() AS n FROM ledger WHERE audience_id = ${audienceId}`,
    );
    return Number(row?.n ?? 0);
  }

  async output(plugin: string, settings: object, credentials: object): Promise<string> {
    const body = { workspaceId: this.tenant.workspaceId, plugin, name: plugin, settings, credentials };
    return (await this.hub.ok<{ id: string }>('POST', '/outputs', body)).id;
  }
}
