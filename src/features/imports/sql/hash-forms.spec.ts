import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { temporaryWarehouse } from '../../../../test/support/warehouse.js';
import { codeOf, identityHashSql } from '../../../domain/identities/index.js';
import type { IdentityType } from '../../../kit/index.js';
import type { Warehouse } from '../../../platform/warehouse/index.js';
import { backfillHashForms } from './hash-forms.js';

let warehouse: Warehouse;
let close: () => Promise<void>;

beforeAll(async () => {
  ({ warehouse, close } = await temporaryWarehouse());
});
afterAll(() => close());

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');

async function known(workspace: number, type: IdentityType, value: string, mpid: number): Promise<void> {
  await warehouse.command(
    `INSERT INTO identities SELECT ${workspace}, ${codeOf(type)}, ${identityHashSql(type, `'${value}'`)}, '${value}', ${mpid}`,
  );
}

const formsIn = (workspace: number) =>
  warehouse.query<{ value: string; mpid: string }>(
    `SELECT value, mpid FROM identities WHERE workspace = ${workspace} AND type = ${codeOf('email_sha256')} ORDER BY mpid`,
  );

describe('the hash forms of a workspace', () => {
  it('are filled in for everybody, and written once by two runs', async () => {
    await known(1, 'email', 'ann@example.com', 1);
    await known(1, 'email', 'ben@example.com', 2);
    await known(2, 'email', 'eve@example.com', 3);
    const expected = [
      { value: sha256('ann@example.com'), mpid: '1' },
      { value: sha256('ben@example.com'), mpid: '2' },
    ];
    await backfillHashForms(warehouse, 1, ['email_sha256']);
    expect(await formsIn(1)).toEqual(expected);
    await backfillHashForms(warehouse, 1, ['email_sha256']);
    expect(await formsIn(1)).toEqual(expected);
    expect(await formsIn(2)).toEqual([]);
  });

  it('stay with whoever has one, where a run before was cut off or a file brought it', async () => {
    await known(3, 'email', 'ann@example.com', 1);
    await known(3, 'email', 'ben@example.com', 2);
    await known(3, 'email_sha256', sha256('ann@example.com'), 9);
    await backfillHashForms(warehouse, 3, ['email_sha256', 'phone_sha256']);
    expect(await formsIn(3)).toEqual([
      { value: sha256('ben@example.com'), mpid: '2' },
      { value: sha256('ann@example.com'), mpid: '9' },
    ]);
  });
});
