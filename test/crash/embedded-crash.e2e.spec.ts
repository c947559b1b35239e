import { cp, mkdir, mkdtemp, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { IMPORT_STEPS } from '../../src/platform/database/index.js';
import { HubProcess, type LogLine } from '../support/hub-process.js';
import { Sink } from '../support/sink.js';
import { until } from '../support/until.js';

/** Rows of each version of the file: enough for several batches, few enough to be quick. */
const ROWS = 2500;
const KEY = 'onboarding/seat_id=77/files/Crash Audience.csv';

interface Listed<T> {
  items: T[];
  total: number;
}
interface ImportState {
  id: string;
  state: string;
  version: number | null;
  rows: Record<string, unknown>;
  added: number;
  removed: number;
}

let root: string;
let baseline: string;
let sink: Sink;
let expected: Awaited<ReturnType<typeof settledState>>;

/** Person n: everybody has an e-mail, some a phone; the second file loses some, keeps some, brings some. */
const person = (n: number) => `person${n}@example.com,${n % 3 === 0 ? `+1202555${String(1000 + n)}` : ''}`;
const fileOf = (from: number) =>
  ['Email,Phone', ...Array.from({ length: ROWS }, (_, i) => person(from + i)), 'not an address,', ''].join(
    '\n',
  );

async function drop(dropRoot: string, text: string): Promise<void> {
  const path = join(dropRoot, KEY);
  await mkdir(join(path, '..'), { recursive: true });
  await writeFile(path, text);
  // Old enough to count as whole at once.
  const past = new Date(Date.now() - 60_000);
  await utimes(path, past, past);
}

const startOn = (folder: string) =>
  HubProcess.start({ HUB_DATA: join(folder, 'data'), HUB_SWEEP_MS: '1000' });

async function waitForImport(hub: HubProcess, version: number): Promise<ImportState> {
  return until(
    `version ${version} is published`,
    async () => {
      const { items } = await hub.api<Listed<ImportState>>('GET', '/imports');
      const failed = items.find((item) => item.state === 'failed');
      if (failed) throw new Error(`An import failed: ${JSON.stringify(failed)}`);
      return items.find((item) => item.version === version && item.state === 'published');
    },
    60_000,
  );
}

async function waitForDelivery(hub: HubProcess, version: number): Promise<void> {
  await until(
    `version ${version} is delivered`,
    async () => {
      const connection = await hub.api<{ deliveredVersion: number }>(
        'GET',
        `/connections/${await connectionId(hub)}`,
      );
      return connection.deliveredVersion === version;
    },
    60_000,
  );
}

async function connectionId(hub: HubProcess): Promise<string> {
  const { items } = await hub.api<Listed<{ id: string }>>('GET', '/audiences/1/connections');
  const [first] = items;
  if (!first) throw new Error('There is no connection.');
  return first.id;
}

/** Everything that must be the same however often the hub was killed. */
async function settledState(hub: HubProcess) {
  const members: unknown[] = [];
  let after: string | null = null;
  do {
    const page: { items: unknown[]; next: string | null } = await hub.api(
      'GET',
      `/audiences/1/members?pageSize=1000${after === null ? '' : `&after=${after}`}`,
    );
    members.push(...page.items);
    after = page.next;
  } while (after !== null);
  const imported = await waitForImport(hub, 2);
  const { items } = await hub.api<Listed<Record<string, unknown>>>(
    'GET',
    `/connections/${await connectionId(hub)}/deliveries`,
  );
  return {
    members,
    import: { rows: imported.rows, added: imported.added, removed: imported.removed },
    deliveries: items.map(({ fromVersion, toVersion, state, planned, accepted, rejected, skipped }) => ({
      fromVersion,
      toVersion,
      state,
      planned,
      accepted,
      rejected,
      skipped,
    })),
    partner: [...sink.members].sort(),
  };
}

/** Starts from the state after version 1, drops the second file, kills as told, and lets the hub finish. */
async function disturbed(killWhen: (hub: HubProcess, kill: () => void) => void | Promise<void>) {
  const folder = await mkdtemp(join(root, 'run-'));
  await cp(join(baseline, 'data'), join(folder, 'data'), { recursive: true });
  await drop(join(root, 'drop'), fileOf(500));
  let hub = await startOn(folder);
  let killed: Promise<void> | undefined;
  await killWhen(hub, () => {
    killed ??= hub.kill();
  });
  await hub.api('POST', `/inputs/${inputId}/scan`).catch(() => undefined);
  await until('it was killed', () => killed !== undefined, 60_000);
  await killed;
  hub = await startOn(folder);
  // A kill before the import was queued leaves the file for the next scan.
  await hub.api('POST', `/inputs/${inputId}/scan`);
  await waitForImport(hub, 2);
  await waitForDelivery(hub, 2);
  const state = await settledState(hub);
  await hub.stop();
  await rm(folder, { recursive: true, force: true });
  return state;
}

function resetPartner(): void {
  sink.reset(partnerAtVersion1);
}

let partnerAtVersion1: readonly string[] = [];
let inputId: string;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'hub-crash-'));
  baseline = join(root, 'baseline');
  await mkdir(baseline);
  sink = await Sink.start();
  await drop(join(root, 'drop'), fileOf(0));
  const hub = await startOn(baseline);
  const { id: organizationId } = await hub.api<{ id: string }>('POST', '/organizations', { name: 'Crash' });
  const workspace = await hub.api<{ id: string }>('POST', '/workspaces', {
    organizationId,
    name: 'W',
    seatId: '77',
  });
  const input = await hub.api<{ id: string }>('POST', '/inputs', {
    workspaceId: workspace.id,
    plugin: 'folder-drop',
    name: 'drop',
    settings: { path: join(root, 'drop'), layout: 'iqm' },
  });
  inputId = input.id;
  await hub.api('POST', `/inputs/${inputId}/scan`);
  await waitForImport(hub, 1);
  const output = await hub.api<{ id: string }>('POST', '/outputs', {
    workspaceId: workspace.id,
    plugin: 'webhook',
    name: 'sink',
    settings: { url: sink.url, batchSize: 100 },
    credentials: { secret: 'crash-test-secret-0123456789' },
  });
  await hub.api('POST', '/audiences/1/connections', { outputId: output.id, settings: {}, status: 'active' });
  await waitForDelivery(hub, 1);
  partnerAtVersion1 = [...sink.members];
  await hub.stop();
  // Killed before it has anything to do.
  expected = await disturbed((_, kill) => kill());
}, 180_000);

afterAll(async () => {
  await sink.stop();
  await rm(root, { recursive: true, force: true });
});

describe('an embedded hub that is killed and started again', () => {
  it('knows what an undisturbed run ends with', () => {
    expect(expected.import).toMatchObject({
      added: 500,
      removed: 500,
      rows: { read: ROWS + 1, rejected: 1 },
    });
    expect(expected.members).toHaveLength(ROWS);
    expect(expected.partner).toHaveLength(ROWS);
  });

  it.each(IMPORT_STEPS)(
    'ends the same when it is killed at the import step %s',
    async (step) => {
      resetPartner();
      const state = await disturbed((hub, kill) => {
        hub.onLine((line: LogLine) => {
          if (line.msg === 'import step' && line.step === step) kill();
        });
      });
      expect(state).toEqual(expected);
      expect(sink.doubled).toEqual([]);
    },
    120_000,
  );

  it.each([1, 4, 7])(
    'ends the same when it is killed while the partner has batch %s',
    async (batch) => {
      resetPartner();
      let killed = false;
      const state = await disturbed((_, kill) => {
        sink.failure = (number) => {
          if (killed || number < batch) return undefined;
          killed = true;
          kill();
          // The batch is taken, but nobody is there to hear it.
          return 'lost answer';
        };
      });
      sink.failure = () => undefined;
      expect(state).toEqual(expected);
      expect(sink.doubled).toEqual([]);
    },
    120_000,
  );
});
