import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { temporaryWarehouse } from '../../../../test/support/warehouse.js';
import { codeOf } from '../../../domain/identities/index.js';
import type { DataPartners, IdentityForm } from '../../../kit/index.js';
import type { Warehouse } from '../../../platform/warehouse/index.js';
import { Ledger } from '../../ledger/index.js';
import { importInto, type Run } from './testing/import-into.js';

let warehouse: Warehouse;
let close: () => Promise<void>;
let folder: string;
let ledger: Ledger;
let next = 1;

beforeAll(async () => {
  ({ warehouse, close } = await temporaryWarehouse());
  folder = await mkdtemp(join(tmpdir(), 'hub-partners-'));
  ledger = new Ledger(warehouse);
});
afterAll(async () => {
  await close();
  await rm(folder, { recursive: true, force: true });
});

const importRows = (run: Run) => importInto({ warehouse, ledger, folder }, run);
const fresh = () => ({ workspace: next, audience: { id: next++, version: 0 } });
const idsOf = (workspace: number, id: number, forms: readonly IdentityForm[]) =>
  ledger.page(
    { audienceId: id, workspace },
    { what: 'members', version: 1 },
    { after: null, limit: 1000, forms },
  );

describe('ids of data partners', () => {
  const voterId: IdentityForm[] = [{ type: 'voter_id', encoding: 'raw' }];
  const mpidsOf = async (workspace: number, id: number) => {
    const { members } = await idsOf(workspace, id, voterId);
    return members.map(({ mpid }) => mpid);
  };

  it('are different people where equal ids come of different partners, and of nobody', async () => {
    const { workspace } = fresh();
    const ids = ['LALNY123', 'LALTX7'];
    const columns: { header: string; partners?: DataPartners }[] = [
      { header: 'LALVOTERID' },
      { header: 'voterbase_id' },
      { header: 'Voter ID' },
      { header: 'Voter ID', partners: { voter_id: 'Acme' } },
    ];
    const seen = new Set<string>();
    for (const { header, partners } of columns) {
      const { audience } = fresh();
      const { resolved } = await importRows({
        workspace,
        audience,
        header: [header],
        rows: ids.map((id) => [id]),
        ...(partners === undefined ? {} : { partners }),
      });
      expect(resolved).toMatchObject({ matched: 0, created: 2 });
      for (const mpid of await mpidsOf(workspace, audience.id)) seen.add(mpid);
      // Partners get the ids as the data partner wrote them.
      const { members } = await idsOf(workspace, audience.id, voterId);
      expect(members.map(({ identities }) => identities.voter_id?.[0] ?? '').toSorted()).toEqual(ids);
    }
    expect(seen.size).toBe(8);
  });

  it.each([
    [{ header: 'l2-voter-id' }, { header: 'Voter ID', partners: { voter_id: 'lalvoterid' } }],
    [{ header: 'voterbase_id' }, { header: 'Voter ID', partners: { voter_id: 'TargetSmart' } }],
  ])('are the same people however the partner is said: %j, %j', async (one, other) => {
    const { workspace } = fresh();
    const rows = [['LALNY123'], ['LALTX7']];
    const [a, b] = [fresh().audience, fresh().audience];
    await importRows({ workspace, audience: a, rows, header: [one.header] });
    const again = { workspace, audience: b, rows, header: [other.header], partners: other.partners };
    expect((await importRows(again)).resolved).toMatchObject({ matched: 2, created: 0 });
    expect(await mpidsOf(workspace, b.id)).toEqual(await mpidsOf(workspace, a.id));
  });

  it('are no contradiction: a person has one of each partner, and two of one are two people', async () => {
    const { workspace, audience } = fresh();
    await importRows({
      workspace,
      audience,
      header: ['LALVOTERID', 'email'],
      rows: [['LALNY1', 'ann@example.com']],
    });
    const other = await importRows({
      workspace,
      audience: fresh().audience,
      header: ['voterbase_id', 'email'],
      rows: [['NY-77', 'ann@example.com']],
    });
    expect(other.resolved).toMatchObject({ matched: 1, created: 0 });
    const second = await importRows({
      workspace,
      audience: fresh().audience,
      header: ['LALVOTERID', 'email'],
      rows: [['LALNY2', 'ann@example.com']],
    });
    expect(second.resolved).toMatchObject({ matched: 0, created: 1 });
    const { members } = await idsOf(workspace, audience.id, [
      ...voterId,
      { type: 'voter_id', encoding: 'sha256' },
    ]);
    const bare = ['LALNY1', 'NY-77'];
    const hashed = bare.map((id) => createHash('sha256').update(id).digest('hex'));
    expect(members[0]?.identities.voter_id?.toSorted()).toEqual([...bare, ...hashed].toSorted());
  });

  it('are exported bare', async () => {
    const { workspace, audience } = fresh();
    const rows = [['VB-1'], ['LALNY5']];
    await importRows({ workspace, audience, header: ['voterbase_id'], rows });
    const key = { audienceId: audience.id, workspace };
    const sql = ledger.memberIdentitiesSql(key, 1, [codeOf('voter_id')]);
    const exported = await warehouse.query<{ value: string }>(`SELECT value FROM (${sql}) ORDER BY value`);
    expect(exported.map(({ value }) => value)).toEqual(['LALNY5', 'VB-1']);
  });
});
