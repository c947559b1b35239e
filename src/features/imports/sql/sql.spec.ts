import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { temporaryWarehouse } from '../../../../test/support/warehouse.js';
import { codeOf } from '../../../domain/identities/index.js';
import type { Warehouse } from '../../../platform/warehouse/index.js';
import { Ledger } from '../../ledger/index.js';
import { resolve, type ResolveRequest } from './resolve.js';
import { importsWithWorkTables } from './tables.js';
import { importInto, type Run } from './testing/import-into.js';

let warehouse: Warehouse;
let close: () => Promise<void>;
let folder: string;
let ledger: Ledger;
let next = 1;

beforeAll(async () => {
  ({ warehouse, close } = await temporaryWarehouse());
  folder = await mkdtemp(join(tmpdir(), 'hub-imports-sql-'));
  ledger = new Ledger(warehouse);
});
afterAll(async () => {
  await close();
  await rm(folder, { recursive: true, force: true });
});

const importRows = (run: Run) => importInto({ warehouse, ledger, folder }, run);

async function membersOf(workspace: number, id: number, version: number) {
  const forms = (['customer_id', 'email', 'phone'] as const).map((type) => ({
    type,
    encoding: 'raw' as const,
  }));
  const page = await ledger.page(
    { audienceId: id, workspace },
    { what: 'members', version },
    { after: null, limit: 1000, forms },
  );
  return page.members
    .map((member) => member.identities)
    .sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
}

const fresh = () => ({ workspace: next, audience: { id: next++, version: 0 } });

describe('an import of one identity a row', () => {
  it('creates, matches, counts what is unknown, and writes only the difference', async () => {
    const { workspace, audience } = fresh();
    const header = ['email'];
    const first = await importRows({
      workspace,
      audience,
      header,
      rows: [['Ann@example.com'], ['bob@example.com'], ['ann@example.com'], ['nonsense']],
    });
    expect(first.staged).toEqual({ rows: 4, rejected: 1, withInvalidCells: 0 });
    expect(first.resolved).toEqual({ matched: 0, created: 3, unknown: 0, createdProfiles: 2 });
    expect(first.delta).toEqual({ added: 2, removed: 0 });
    const second = await importRows({
      workspace,
      audience: { ...audience, version: 1 },
      header,
      rows: [['bob@example.com'], ['eve@example.com']],
      create: false,
    });
    expect(second.resolved).toEqual({ matched: 1, created: 0, unknown: 1, createdProfiles: 0 });
    expect(second.delta).toEqual({ added: 0, removed: 1 });
    expect(await membersOf(workspace, audience.id, 2)).toEqual([{ email: ['bob@example.com'] }]);
  });

  it('never gives two people one mpid, however few bits there are to tell them apart', async () => {
    const { workspace, audience } = fresh();
    const people = Array.from({ length: 40 }, (_, n) => [`person${n}@example.com`]);
    await importRows({ workspace, audience, header: ['email'], rows: people.slice(0, 20), mpidBits: 6 });
    const { delta } = await importRows({
      workspace,
      audience: { ...audience, version: 1 },
      header: ['email'],
      rows: people,
      mpidBits: 6,
    });
    expect(delta).toEqual({ added: 20, removed: 0 });
    expect(await membersOf(workspace, audience.id, 2)).toHaveLength(40);
  });
});

describe('an import of several identities a row', () => {
  const header = ['customer_id', 'email', 'phone'];

  it('joins rows through their strongest identity and keeps apart people who share a weaker one', async () => {
    const { workspace, audience } = fresh();
    const rows = [
      ['c1', 'ann@example.com', '+12025550101'],
      ['', 'ann@example.com', '+12025550102'],
      ['', '', '+12025550102'],
      ['', 'bob@example.com', '+12025550101'],
      ['', '', 'x'],
    ];
    const { staged, delta } = await importRows({ workspace, audience, header, rows });
    expect(staged).toEqual({ rows: 5, rejected: 1, withInvalidCells: 0 });
    expect(delta.added).toBe(2);
    expect(await membersOf(workspace, audience.id, 1)).toEqual([
      { customer_id: ['c1'], email: ['ann@example.com'], phone: ['+12025550101', '+12025550102'] },
      { email: ['bob@example.com'] },
    ]);
  });

  it('notes what known profiles learn, and nothing of new ones', async () => {
    const { workspace, audience } = fresh();
    const run = (rows: string[][]) =>
      importRows({ workspace, audience: { ...audience, version: 0 }, header, rows });
    const noted = () =>
      warehouse.query<{ seq: string; value: string }>(
        `SELECT toString(seq) AS seq, value FROM identity_changes WHERE workspace = ${workspace} ORDER BY seq, value`,
      );
    await run([
      ['c1', '', ''],
      ['c2', 'bob@example.com', ''],
    ]);
    expect(await noted()).toEqual([]);
    audience.id = next++;
    await run([
      ['c1', 'ann@example.com', '+12025550101'],
      ['c3', 'eve@example.com', ''],
    ]);
    audience.id = next++;
    await run([['c3', '', '+12025550103']]);
    expect(await noted()).toEqual([
      { seq: '1', value: '+12025550101' },
      { seq: '1', value: 'ann@example.com' },
      { seq: '2', value: '+12025550103' },
    ]);
  });

  it('learns identities of known profiles, but not over a stronger one that differs', async () => {
    const { workspace, audience } = fresh();
    await importRows({ workspace, audience, header, rows: [['c1', '', '+12025550101']] });
    const { resolved } = await importRows({
      workspace,
      audience: { ...audience, version: 1 },
      header,
      rows: [
        ['c1', 'ann@example.com', ''],
        ['c2', '', '+12025550101'],
        ['', 'late@example.com', '+12025550101'],
      ],
    });
    expect(resolved).toEqual({
      matched: 1,
      created: 2,
      unknown: 0,
      createdProfiles: 2,
      matchedBy: { customer_id: 1 },
    });
    expect(await membersOf(workspace, audience.id, 2)).toEqual([
      { customer_id: ['c1'], email: ['ann@example.com'], phone: ['+12025550101'] },
      { customer_id: ['c2'] },
      { email: ['late@example.com'] },
    ]);
  });

  it('finds raw addresses by their hash where the workspace keeps hash forms', async () => {
    const { workspace, audience } = fresh();
    const hash = '43f5f8fabe82fc8dce2452267f5550bb036d0ddf33368682a9cd5da8286d63a0';
    await importRows({
      workspace,
      audience,
      header: ['Email SHA256'],
      rows: [[hash]],
      hashForms: ['email_sha256'],
    });
    const { delta } = await importRows({
      workspace,
      audience: { ...audience, version: 1 },
      header: ['email'],
      rows: [['Bilbo.Baggins@lotr.com']],
      hashForms: ['email_sha256'],
    });
    expect(delta).toEqual({ added: 0, removed: 0 });
  });

  it('ends the same when it is cut off while it registers and run again', async () => {
    const cell = (prefix: string) => fc.constantFrom('', '', `${prefix}1`, `${prefix}2`, `${prefix}3`);
    const row = fc
      .tuple(cell('c'), cell('p'), cell('n'))
      .map(([id, email, phone]) => [
        id,
        email && `${email}@example.com`,
        phone && `+1202555010${phone.slice(1)}`,
      ]);
    await fc.assert(
      fc.asyncProperty(fc.array(row, { minLength: 1, maxLength: 6 }), fc.nat(5), async (rows, kept) => {
        const plain = fresh();
        await importRows({ ...plain, header, rows });
        const cut = fresh();
        const half = async (request: ResolveRequest) => {
          // As a process leaves it that dies between its two inserts or within the second.
          await warehouse.command(
            `ALTER TABLE identities DELETE WHERE workspace = ${cut.workspace} AND hash NOT IN (
               SELECT hash FROM identities WHERE workspace = ${cut.workspace} ORDER BY hash LIMIT ${kept})`,
            { settings: { mutations_sync: 2 } },
          );
          return (await resolve(warehouse, request)).members;
        };
        await importRows({ ...cut, header, rows, between: half });
        expect(await membersOf(cut.workspace, cut.audience.id, 1)).toEqual(
          await membersOf(plain.workspace, plain.audience.id, 1),
        );
        const owners = await warehouse.query<{ n: number }>(
          `SELECT uniqExact(mpid) AS n FROM profiles WHERE workspace = ${cut.workspace} AND type = ${codeOf('email')}
           GROUP BY value HAVING n > 1`,
        );
        expect(owners).toEqual([]);
      }),
      { numRuns: 8 },
    );
  });

  it('leaves no working tables', async () => {
    expect(await importsWithWorkTables(warehouse)).toEqual([]);
  });
});
