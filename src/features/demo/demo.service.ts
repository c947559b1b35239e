import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable, type BeforeApplicationShutdown } from '@nestjs/common';
import { ROLES, type Config } from '../../platform/env/index.js';
import type { Logger } from '../../platform/log/index.js';
import { InjectConfig, InjectLogger } from '../../platform/nest/index.js';
import { ConnectionsService } from '../connections/index.js';
import { ScanService } from '../imports/index.js';
import type { Principal } from '../tenancy/index.js';
import { DemoRecords, type Demo, type DemoFolders } from './demo-records.js';
import { dropExample, EXAMPLE_NAME } from './example-audience.js';

const LOOK_EVERY_MS = 200;
/** Enough for a small file on a very busy machine. */
const PATIENCE_MS = 10 * 60 * 1000;

/** Whoever acts for the demo. */
const DEMO: Principal = {
  keyId: '00000000-0000-0000-0000-000000000000',
  name: 'demo',
  role: 'admin',
  scope: { kind: 'hub' },
};

/**
 * Shows a first start what the hub does: a workspace, a file in its drop folder, a file output, and a line in
 * the log for each thing that happened. Killed at any point, the next start goes on; once shown, it is never
 * made again.
 */
@Injectable()
export class DemoService implements BeforeApplicationShutdown {
  private readonly stopped = new AbortController();
  private readonly log: Logger;
  private readonly folders: DemoFolders;
  private running: Promise<void> = Promise.resolve();

  constructor(
    @InjectConfig() private readonly config: Config,
    @InjectLogger() log: Logger,
    private readonly records: DemoRecords,
    private readonly scans: ScanService,
    private readonly connections: ConnectionsService,
  ) {
    this.log = log.child({ context: 'demo' });
    const folder = join(config.dataDir, 'demo');
    this.folders = { drop: join(folder, 'drop'), out: join(folder, 'out') };
  }

  /**
   * Begins where the demo is wanted (HUB_DEMO) and this process is the whole hub: in a cluster, its folders
   * would be on one machine and the workers on others. Returns at once.
   */
  start(hubUrl: string): void {
    if (!this.config.demo || this.config.roles.size < ROLES.length) return;
    this.running = this.show(hubUrl).catch((error: unknown) => {
      if (this.stopped.signal.aborted) return;
      const reason = error instanceof Error ? error.message : String(error);
      this.log.warn(`The demo did not get to its end: ${reason} HUB_DEMO=false leaves it out.`);
    });
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.stopped.abort();
    await this.running;
  }

  private async show(hubUrl: string): Promise<void> {
    const demo = await this.records.begin(this.folders);
    if (!demo) return;
    const file = await dropExample(this.folders.drop);
    await mkdir(this.folders.out, { recursive: true });
    this.log.info({ file }, 'A demo workspace is there, and an example file in its drop folder');
    await this.scans.scan(demo.inputId, this.stopped.signal);
    const audienceId = await this.until('the file was imported', () => this.importedAudience(demo));
    await this.connect(demo, audienceId);
    const members = await this.until('the audience was delivered', () => this.deliveredMembers(demo));
    await this.records.finish();
    this.sayWhereToLook(hubUrl, audienceId, members, file);
  }

  private async importedAudience(demo: Demo): Promise<number | undefined> {
    const row = await this.records.lastImport(demo);
    if (row?.state === 'published' || row?.state === 'unchanged') return row.audienceId ?? undefined;
    if (row?.state !== 'failed' && row?.state !== 'held') return undefined;
    throw new Error(`Import ${row.id} is ${row.state}: ${row.error?.message ?? 'no reason is known.'}`);
  }

  private async connect(demo: Demo, audienceId: number): Promise<void> {
    if (await this.records.isConnected(demo)) return;
    await this.connections.create(DEMO, audienceId, { outputId: demo.outputId, status: 'active' });
  }

  private async deliveredMembers(demo: Demo): Promise<number | undefined> {
    const row = await this.records.lastDelivery(demo);
    if (row?.state === 'delivered') return row.accepted;
    if (row?.state !== 'faulted') return undefined;
    throw new Error(`Delivery ${row.id} is faulted: ${row.error?.message ?? 'GET /faults says why.'}`);
  }

  private async until<T>(what: string, look: () => Promise<T | undefined>): Promise<T> {
    const deadline = performance.now() + PATIENCE_MS;
    while (performance.now() < deadline) {
      const found = await look();
      if (found !== undefined) return found;
      await sleep(LOOK_EVERY_MS, undefined, { signal: this.stopped.signal });
    }
    throw new Error(`It was waited for ${PATIENCE_MS / 1000} s until ${what}.`);
  }

  private sayWhereToLook(hubUrl: string, audienceId: number, members: number, source: string): void {
    const delivered = join(this.folders.out, `${EXAMPLE_NAME}.csv`);
    const audience = `${hubUrl}/api/v1/audiences/${audienceId}`;
    this.log.info({ audienceId, members, delivered }, 'The example audience was imported and delivered');
    this.log.info(`Look at the delivered file: ${delivered}`);
    this.log.info(`Ask for the audience: curl -H "authorization: Bearer $HUB_KEY" ${audience}`);
    this.log.info(`Refresh it: edit ${source}, then call POST /inputs/{id}/scan or wait ten minutes`);
  }
}
