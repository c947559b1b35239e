import { ErasuresWorker } from '../../src/features/erasures/erasures.worker.js';
import { WAREHOUSE } from '../../src/platform/nest/index.js';
import { WarehouseError, type Warehouse } from '../../src/platform/warehouse/index.js';
import { download } from './download.js';
import type { Drop } from './drop.js';
import type { TestHub } from './hub.js';
import { readZip } from './read-zip.js';
import { until } from './until.js';

/** A receipt as the API shows it. */
export interface Receipt {
  connectionId: string;
  state: string;
  reason: { code: string } | null;
  deliveryId: string | null;
  sent: number | null;
  accepted: number | null;
  rejected: number | null;
  unsupported: number | null;
}
/** An erasure or suppression as the API shows it. */
export interface Erasure {
  id: string;
  state: string;
  given: number;
  profiles: number | null;
  audiences: number;
  rejectedByReason: Record<string, number>;
  receipts: Receipt[];
}
/** Connects an audience to a webhook at `url`; returns the connection's id. */
export async function webhookOf(drop: Drop, audienceId: number, url: string): Promise<string> {
  const output = await drop.hub.ok<{ id: string }>('POST', '/outputs', {
    workspaceId: drop.workspaceId,
    plugin: 'webhook',
    name: `Partner ${audienceId}`,
    settings: { url },
    credentials: { secret: 'whsec-test-secret-0123456789' },
  });
  const body = { outputId: output.id, settings: {}, status: 'active' };
  const path = `/audiences/${audienceId}/connections`;
  return (await drop.hub.ok<{ id: string }>('POST', path, body)).id;
}

/** Waits until a partner has a version. */
export async function untilDelivered(hub: TestHub, connectionId: string, version: number): Promise<void> {
  const path = `/connections/${connectionId}`;
  await until(
    `version ${version} is delivered`,
    async () => (await hub.ok<{ deliveredVersion: number }>('GET', path)).deliveredVersion >= version,
    30_000,
  );
}

/** Waits until an erasure is in a state, and where it is `waiting`, until its receipts say why. */
export function untilErasure(hub: TestHub, id: string, state: string): Promise<Erasure> {
  return until(
    `the erasure is ${state}`,
    async () => {
      await hub.hub.app.get(ErasuresWorker).sweep();
      const erasure = await hub.ok<Erasure>('GET', `/erasures/${id}`);
      if (erasure.state === 'failed') throw new Error(JSON.stringify(erasure));
      const says = erasure.receipts.some((one) => one.state === 'waiting' && one.reason !== null);
      return erasure.state === state && (state !== 'waiting' || says) ? erasure : undefined;
    },
    30_000,
  );
}

/** Columns of the warehouse, those of working tables included, in which one of the texts stands. */
export async function tablesHolding(hub: TestHub, texts: readonly string[]): Promise<string[]> {
  const warehouse = hub.hub.app.get<Warehouse>(WAREHOUSE);
  const columns = await warehouse.query<{ table: string; name: string }>(
    `SELECT table, name FROM system.columns WHERE database = currentDatabase() AND type LIKE '%String%'`,
  );
  const found: string[] = [];
  for (const { table, name } of columns) {
    const any = texts.map((text) => `position(toString(${name}), '${text}') > 0`).join(' OR ');
    const rows = await warehouse.query(`SELECT 1 FROM ${table} WHERE ${any} LIMIT 1`).catch(goneMeanwhile);
    if (rows.length > 0) found.push(`${table}.${name}`);
  }
  return found;
}

/** Working tables are dropped while they are looked at. */
function goneMeanwhile(error: unknown): never[] {
  if (error instanceof WarehouseError && error.code === '60') return [];
  throw error;
}

/** The text of all CSVs of an export of an audience, made now. */
export async function downloadExport(hub: TestHub, audienceId: number): Promise<string> {
  const identityTypes = ['customer_id', 'email', 'phone'];
  const { id } = await hub.ok<{ id: string }>('POST', '/exports', {
    audienceIds: [audienceId],
    identityTypes,
  });
  await until(
    'the export is ready',
    async () => (await hub.ok<{ state: string }>('GET', `/exports/${id}`)).state === 'ready',
    30_000,
  );
  const authorization = `Bearer ${hub.adminKey}`;
  const { body } = await download(hub.url, `/api/v1/exports/${id}/download`, { authorization });
  return [...readZip(body).values()].map((file) => file.toString('utf8')).join('\n');
}
