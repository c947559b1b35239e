import { randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { temporaryWarehouse } from '../../../../test/support/warehouse.js';
import { codeOf, mapColumns } from '../../../domain/identities/index.js';
import type { QueryOptions, Warehouse } from '../../../platform/warehouse/index.js';
import { severalMembersSql } from './resolve-several.js';
import { resolve, type ResolveRequest } from './resolve.js';
import { stageFile } from './stage.js';
import { dropWorkTables, importsWithWorkTables, workTables } from './tables.js';

const HEADER = ['customer_id', 'email', 'phone'];

let warehouse: Warehouse;
let close: () => Promise<void>;
let folder: string;
let workspaces = 0;

beforeAll(async () => {
  ({ warehouse, close } = await temporaryWarehouse());
  folder = await mkdtemp(join(tmpdir(), 'hub-imports-decision-'));
});
afterAll(async () => {
  await close();
  await rm(folder, { recursive: true, force: true });
});

/** Stages rows as an import of their own. */
async function staged(
  workspace: number,
  rows: readonly string[][],
  importId = randomUUID(),
): Promise<ResolveRequest> {
  const mapped = mapColumns(HEADER);
  if ('problems' in mapped) throw new Error(JSON.stringify(mapped.problems));
  const plan = { mapping: mapped.mapping, options: {}, hashForms: [] };
  const request = { workspace, tables: workTables(importId), plan, create: true };
  await stage(request, rows);
  return request;
}

async function stage(request: ResolveRequest, rows: readonly string[][]): Promise<void> {
  const path = join(folder, randomUUID());
  await writeFile(path, rows.map((row) => `${row.join('\t')}\n`).join(''));
  const structure = HEADER.map((_, index) => `c${index + 1} String`).join(', ');
  const file = { path, format: 'TabSeparated', structure } as const;
  await stageFile(warehouse, request.tables, file, request.plan);
}

class ProcessDied extends Error {}

/** Resolves with a process that dies within its insert into `table`, when `written` rows are there. */
async function resolveDying(request: ResolveRequest, table: string, written: number): Promise<void> {
  const dying: Warehouse = {
    ...warehouse,
    async command(statement: string, options?: QueryOptions) {
      const head = `INSERT INTO ${table} `;
      if (!statement.startsWith(head)) return warehouse.command(statement, options);
      const select = statement.slice(head.length);
      await warehouse.command(`${head}SELECT * FROM (${select}) LIMIT ${written}`, options);
      throw new ProcessDied();
    },
  };
  await expect(resolve(dying, request)).rejects.toThrow(ProcessDied);
}

/** Everybody who is known, by mpid, and the members of each of the imports. */
async function outcome(workspace: number, requests: readonly ResolveRequest[]) {
  const identities = await warehouse.query(
    `SELECT DISTINCT type, value, toString(mpid) AS mpid FROM identities WHERE workspace = ${workspace} ORDER BY ALL`,
  );
  const profiles = await warehouse.query(
    `SELECT DISTINCT type, value, toString(mpid) AS mpid FROM profiles WHERE workspace = ${workspace} ORDER BY ALL`,
  );
  const members = [];
  for (const request of requests) {
    members.push(
      await warehouse.query(
        `SELECT DISTINCT toString(mpid) AS mpid FROM (${severalMembersSql(request)}) ORDER BY mpid`,
      ),
    );
  }
  return { identities, profiles, members };
}

const cell = (prefix: string) => fc.constantFrom('', '', `${prefix}1`, `${prefix}2`, `${prefix}3`);
const row = fc
  .tuple(cell('c'), cell('p'), cell('n'))
  .filter((cells) => cells.some((text) => text !== ''))
  .map(([id, email, phone]) => [
    id,
    email && `${email}@example.com`,
    phone && `+1202555010${phone.slice(1)}`,
  ]);
const file = fc.array(row, { minLength: 1, maxLength: 5 });

describe('an import that is cut off while it registers', () => {
  it('has registered all it decided before another import of the workspace decides', async () => {
    const table = fc.constantFrom('profiles', 'identities');
    await fc.assert(
      fc.asyncProperty(file, file, table, fc.nat(5), async (first, second, cutIn, written) => {
        const plain = (workspaces += 1);
        const calm = [await staged(plain, first), await staged(plain, second)];
        for (const request of calm) await resolve(warehouse, request);
        const cut = (workspaces += 1);
        const [one, other] = [await staged(cut, first), await staged(cut, second)];
        await resolveDying(one, cutIn, written);
        await resolve(warehouse, other);
        await resolve(warehouse, one);
        expect(await outcome(cut, [one, other])).toEqual(await outcome(plain, calm));
      }),
      { numRuns: 6 },
    );
  }, 60_000);

  it('and fails, and whose tables are cleared, is decided the same when its file is tried again', async () => {
    const table = fc.constantFrom('profiles', 'identities');
    await fc.assert(
      fc.asyncProperty(file, table, fc.nat(5), async (rows, cutIn, written) => {
        const plain = (workspaces += 1);
        const calm = await staged(plain, rows);
        await resolve(warehouse, calm);
        const cut = (workspaces += 1);
        const failed = randomUUID();
        await resolveDying(await staged(cut, rows, failed), cutIn, written);
        await dropWorkTables(warehouse, failed);
        expect(await importsWithWorkTables(warehouse)).not.toContain(failed);
        const again = await staged(cut, rows);
        await resolve(warehouse, again);
        expect(await outcome(cut, [again])).toEqual(await outcome(plain, [calm]));
      }),
      { numRuns: 6 },
    );
  }, 60_000);

  it('counts the same when it is run again', async () => {
    const workspace = (workspaces += 1);
    const request = await staged(workspace, [
      ['c1', 'ann@example.com', ''],
      ['c2', 'ann@example.com', ''],
    ]);
    await resolveDying(request, 'identities', 1);
    const counts = { matched: 0, created: 2, unknown: 0, createdProfiles: 2, matchedBy: {} };
    expect((await resolve(warehouse, request)).counts).toEqual(counts);
    expect((await resolve(warehouse, request)).counts).toEqual(counts);
  });

  it('decides anew of what is staged anew', async () => {
    const workspace = (workspaces += 1);
    const request = await staged(workspace, [['c1', 'ann@example.com', '']]);
    await resolve(warehouse, request);
    await stage(request, [['c2', 'bob@example.com', '']]);
    expect((await resolve(warehouse, request)).counts).toMatchObject({ matched: 0, created: 1 });
    const owners = await warehouse.query(
      `SELECT value FROM identities WHERE workspace = ${workspace} AND type = ${codeOf('email')} ORDER BY value`,
    );
    expect(owners).toEqual([{ value: 'ann@example.com' }, { value: 'bob@example.com' }]);
  });

  it('registers nothing of another workspace', async () => {
    const cut = (workspaces += 1);
    await resolveDying(await staged(cut, [['c1', 'ann@example.com', '']]), 'identities', 0);
    const elsewhere = (workspaces += 1);
    await resolve(warehouse, await staged(elsewhere, [['c2', '', '']]));
    const left = await warehouse.query(`SELECT value FROM identities WHERE workspace = ${cut}`);
    expect(left).toEqual([]);
  });
});
