import { cp, mkdir, mkdtemp, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { download } from '../support/download.js';
import { HubProcess } from '../support/hub-process.js';
import { readZip } from '../support/read-zip.js';
import { Sink } from '../support/sink.js';
import { until } from '../support/until.js';

/** Rows of each version of the file: enough for several batches, few enough to be quick. */
export const ROWS = 2500;
const KEY = 'onboarding/seat_id=77/files/Crash Audience.csv';
const PATIENCE_MS = 90_000;

/** Where a hub keeps what is not in its data directory, and how to have a copy of it. */
export interface Services {
  /** Variables of the hub whose state all others start from. */
  baseline: Record<string, string>;
  /** Variables of a hub that starts from a copy of that state, and how to remove the copy. */
  fork(): Promise<{ env: Record<string, string>; remove(): Promise<void> }>;
  close(): Promise<void>;
}

interface Listed<T> {
  items: T[];
}
interface RemovedView {
  status: string;
  lastDelivery: Record<'planned' | 'accepted' | 'rejected' | 'skipped', number>;
  removal: { outcome: string; members: string; list: string; stays: string[] };
}
interface ImportView {
  state: string;
  version: number | null;
  rows: Record<string, unknown>;
  waterfall: Record<string, unknown>;
  added: number;
  removed: number;
}

/** What to kill a hub at: called with it before anything happens. */
export type KillPlan = (hub: HubProcess, kill: () => void) => void;

/**
 * A hub that has delivered version 1 of an audience to a partner, and copies of it that are killed while they
 * do the next thing.
 */
export class CrashRig {
  private inputId = '';
  private connectionId = '';
  private partnerAtVersion1: readonly string[] = [];

  private constructor(
    private readonly root: string,
    private readonly services: Services,
    readonly sink: Sink,
  ) {}

  static async start(services: Services): Promise<CrashRig> {
    const rig = new CrashRig(await mkdtemp(join(tmpdir(), 'hub-crash-')), services, await Sink.start());
    await rig.makeBaseline();
    return rig;
  }

  async close(): Promise<void> {
    await this.sink.stop();
    await this.services.close();
    await rm(this.root, { recursive: true, force: true });
  }

  /** Drops version 2 of the file, kills the hub as planned, one plan after another, and lets it finish. */
  async refresh(...plans: KillPlan[]) {
    this.sink.reset(this.partnerAtVersion1);
    await this.drop(500);
    return this.disturbed(
      plans,
      (hub) => hub.api('POST', `/inputs/${this.inputId}/scan`),
      async (hub) => {
        // A kill before the import was queued leaves the file for the next scan.
        await hub.api('POST', `/inputs/${this.inputId}/scan`);
        const imported = await published(hub, 2);
        await delivered(hub, 2);
        return { ...(await this.state(hub)), import: imported };
      },
    );
  }

  /** Deletes the connection, kills the hub as planned, starts it again and lets it take everybody out. */
  async remove(...plans: KillPlan[]) {
    this.sink.reset(this.partnerAtVersion1);
    const path = `/connections/${this.connectionId}`;
    return this.disturbed(
      plans,
      (hub) => hub.api('DELETE', path),
      async (hub) => {
        // A kill before the answer may have been one before the deletion.
        await hub.api('DELETE', path);
        const view = await until(
          'the connection is removed',
          async () => {
            const seen = await hub.api<RemovedView>('GET', path);
            return seen.status === 'removed' ? seen : undefined;
          },
          PATIENCE_MS,
        );
        const { planned, accepted, rejected, skipped } = view.lastDelivery;
        const { outcome, members, list, stays } = view.removal;
        return {
          rows: { planned, accepted, rejected, skipped },
          removal: { outcome, members, list, stays },
          partner: [...this.sink.members].sort(),
        };
      },
    );
  }

  /** Asks for a download, kills the hub as planned, starts it again and reads the archive. */
  async export(...plans: KillPlan[]) {
    const request = { audienceIds: [1], identityTypes: ['email', 'phone'] };
    return this.disturbed(
      plans,
      (hub) => hub.api('POST', '/exports', request),
      async (hub) => {
        const id = await until(
          'the export is ready',
          async () => {
            const { items } = await hub.api<Listed<{ id: string; state: string }>>('GET', '/exports');
            if (items.length === 0) await hub.api('POST', '/exports', request);
            return items.find((item) => item.state === 'ready')?.id;
          },
          PATIENCE_MS,
        );
        const { body } = await download(hub.url, `/api/v1/exports/${id}/download`, hub.headers);
        const csvs = [...readZip(body)].filter(([name]) => name.endsWith('.csv'));
        // The moment of the scan is the only thing that may differ from run to run.
        return csvs.map(([, text]) =>
          text
            .toString('utf8')
            .replaceAll(/,\d{13},/g, ',T,')
            .split('\n'),
        );
      },
    );
  }

  /** Each hub but the first goes on by itself with what `begin` asked of that one. */
  private async disturbed<T>(
    plans: readonly KillPlan[],
    begin: (hub: HubProcess) => Promise<unknown>,
    finish: (hub: HubProcess) => Promise<T>,
  ): Promise<T> {
    const folder = await mkdtemp(join(this.root, 'run-'));
    await cp(join(this.root, 'baseline'), join(folder, 'data'), { recursive: true });
    const copy = await this.services.fork();
    const data = join(folder, 'data');
    let hub = await this.startOn(data, copy.env);
    try {
      for (const [index, killWhen] of plans.entries()) {
        const present = hub;
        let killed: Promise<void> | undefined;
        killWhen(present, () => void (killed ??= present.kill()));
        if (index === 0 && killed === undefined) await begin(present).catch(() => undefined);
        await until(`it was killed, time ${index + 1}`, () => killed !== undefined, PATIENCE_MS);
        await killed;
        // The next one may come to where it is to be killed before it listens.
        const isLast = index === plans.length - 1;
        hub = await this.startOn(data, copy.env, isLast ? 'listening' : 'spawned');
      }
      const state = await finish(hub);
      await hub.stop();
      return state;
    } catch (error) {
      throw new Error(`${String(error)}\nThe hub's last words:\n${hub.tail()}`, { cause: error });
    } finally {
      await hub.kill();
      await copy.remove();
      await rm(folder, { recursive: true, force: true });
    }
  }

  private startOn(
    data: string,
    env: Record<string, string>,
    ready?: 'listening' | 'spawned',
  ): Promise<HubProcess> {
    return HubProcess.start({ HUB_DATA: data, HUB_SWEEP_MS: '500', HUB_LEASE_MS: '2000', ...env }, ready);
  }

  private async makeBaseline(): Promise<void> {
    await this.drop(0);
    const hub = await this.startOn(join(this.root, 'baseline'), this.services.baseline);
    const { id: organizationId } = await hub.api<{ id: string }>('POST', '/organizations', { name: 'Crash' });
    const workspace = { organizationId, name: 'W', seatId: '77' };
    const { id: workspaceId } = await hub.api<{ id: string }>('POST', '/workspaces', workspace);
    const settings = { path: join(this.root, 'drop'), layout: 'iqm' };
    const input = { workspaceId, plugin: 'folder-drop', name: 'drop', settings };
    this.inputId = (await hub.api<{ id: string }>('POST', '/inputs', input)).id;
    await hub.api('POST', `/inputs/${this.inputId}/scan`);
    await published(hub, 1);
    const output = await hub.api<{ id: string }>('POST', '/outputs', {
      workspaceId,
      plugin: 'webhook',
      name: 'sink',
      settings: { url: this.sink.url, batchSize: 100 },
      credentials: { secret: 'crash-test-secret-0123456789' },
    });
    await hub.api('POST', '/audiences/1/connections', { outputId: output.id, status: 'active' });
    await delivered(hub, 1);
    this.connectionId = await connectionId(hub);
    this.partnerAtVersion1 = [...this.sink.members];
    await hub.stop();
  }

  /** Everybody has an e-mail, some a phone; a later `from` loses some, keeps some and brings some. */
  private async drop(from: number): Promise<void> {
    const path = join(this.root, 'drop', KEY);
    const person = (n: number) =>
      `person${n}@example.com,${n % 3 === 0 ? `+1202555${String(1000 + n)}` : ''}`;
    const people = Array.from({ length: ROWS }, (_, index) => person(from + index));
    await mkdir(join(path, '..'), { recursive: true });
    await writeFile(path, ['Email,Phone', ...people, 'not an address,', ''].join('\n'));
    // Old enough to count as whole at once.
    const past = new Date(Date.now() - 60_000);
    await utimes(path, past, past);
  }

  /** Everything that must be the same however often the hub was killed. */
  private async state(hub: HubProcess) {
    const members: unknown[] = [];
    for (let after: string | null = ''; after !== null;) {
      const query: string = after === '' ? '' : `&after=${after}`;
      const page: { items: unknown[]; next: string | null } = await hub.api(
        'GET',
        `/audiences/1/members?pageSize=1000${query}`,
      );
      members.push(...page.items);
      after = page.next;
    }
    const { items } = await hub.api<Listed<Record<string, unknown>>>(
      'GET',
      `/connections/${await connectionId(hub)}/deliveries`,
    );
    const deliveries = items.map(
      ({ fromVersion, toVersion, state, planned, accepted, rejected, skipped }) => ({
        versions: [fromVersion, toVersion],
        state,
        rows: { planned, accepted, rejected, skipped },
      }),
    );
    return { members, deliveries, partner: [...this.sink.members].sort() };
  }
}

async function published(hub: HubProcess, version: number): Promise<Omit<ImportView, 'state' | 'version'>> {
  const view = await until(
    `version ${version} is published`,
    async () => {
      const { items } = await hub.api<Listed<ImportView>>('GET', '/imports');
      const failed = items.find((item) => item.state === 'failed');
      if (failed) throw new Error(`An import failed: ${JSON.stringify(failed)}`);
      return items.find((item) => item.version === version && item.state === 'published');
    },
    PATIENCE_MS,
  );
  return { rows: view.rows, waterfall: view.waterfall, added: view.added, removed: view.removed };
}

async function delivered(hub: HubProcess, version: number): Promise<void> {
  const id = await connectionId(hub);
  await until(
    `version ${version} is delivered`,
    async () =>
      (await hub.api<{ deliveredVersion: number }>('GET', `/connections/${id}`)).deliveredVersion === version,
    PATIENCE_MS,
  );
}

async function connectionId(hub: HubProcess): Promise<string> {
  const { items } = await hub.api<Listed<{ id: string }>>('GET', '/audiences/1/connections');
  const [first] = items;
  if (!first) throw new Error('There is no connection.');
  return first.id;
}
