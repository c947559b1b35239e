import { createHash } from 'node:crypto';
import { beforeAll, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { everybodyIn } from '../../../test/support/member-rows.js';
import { addMembers } from '../../domain/members/index.js';
import { codeOf } from '../../domain/identities/identity-codes.js';
import {
  IDENTITY_TYPES,
  JsonText,
  type IdentityForm,
  type IdentityType,
  type OutputMember,
} from '../../kit/index.js';
import type { Warehouse } from '../../platform/warehouse/index.js';
import { Ledger } from './ledger.js';
import type { RowsPage } from './member-rows.js';
import type { Selection } from './selections.js';

/** Writes the changes from one set of members to another as a version of the ledger. */
export async function writeChanges(
  warehouse: Warehouse,
  audienceId: number,
  version: number,
  before: Set<number>,
  after: Set<number>,
): Promise<void> {
  const rows = [
    ...[...after].filter((m) => !before.has(m)).map((m) => [m, 1]),
    ...[...before].filter((m) => !after.has(m)).map((m) => [m, -1]),
  ];
  if (rows.length === 0) return;
  const values = rows.map(([mpid, sign]) => `(${audienceId}, ${mpid}, ${version}, ${sign}, now64(3))`);
  await warehouse.command(`INSERT INTO ledger VALUES ${values.join(', ')}`);
}

/** Text of any kind that UTF-8 can hold, often the signs that JSON, SQL or a line would stumble over. */
const anyValue = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 12 }),
  fc.constantFrom('"', '\\', '\\"', '\n', '"]}},{"mpid":"1', '\0', '\u2028', '\u001f', '/', "'", 'é漢👩‍👩‍👧', ''),
);
const anyForms = fc.uniqueArray(
  fc.record<IdentityForm>({
    type: fc.constantFrom('email', 'phone', 'customer_id', 'first_last_zip_state'),
    encoding: fc.constantFrom('raw', 'md5', 'sha1', 'sha256', 'sha256_base64'),
    profile: fc.constantFrom(undefined, 'meta@2024-07', 'google@2025-06'),
  }),
  { selector: ({ type, encoding, profile }) => `${type} ${encoding} ${profile}`, maxLength: 5 },
);
/** A part of a combination: a text, nothing, a hash, or a hash as others write it. */
const HASH = 'ab12'.repeat(16);
const anyPart = fc.oneof(
  fc.constantFrom('ann', "O'Neil", '10001', 'NY', '', HASH, HASH.toUpperCase()),
  anyValue,
);
const anyOwner = fc.integer({ min: -4, max: 4 });
const anyIdentity = fc.oneof(
  fc.record({
    owner: anyOwner,
    type: fc.constantFrom<IdentityType>('email', 'email_md5', 'email_sha256', 'phone', 'customer_id', 'npi'),
    // The hub keeps no empty identity.
    value: fc.oneof(
      anyValue.filter((value) => value !== ''),
      fc.constantFrom(HASH, 'ann@example.com', createHash('sha256').update('ann@example.com').digest('hex')),
    ),
  }),
  fc.record({
    owner: anyOwner,
    type: fc.constant<IdentityType>('first_last_zip_state'),
    value: fc.array(anyPart, { minLength: 3, maxLength: 5 }).map((parts) => parts.join('|')),
  }),
);

async function insertIdentities(
  warehouse: Warehouse,
  workspace: number,
  identities: readonly { owner: number; type: IdentityType; value: string }[],
) {
  const params = {
    mpids: identities.map(({ owner }) => BigInt(owner)),
    types: identities.map(({ type }) => codeOf(type)),
    texts: identities.map(({ value }) => value),
  };
  await warehouse.command(
    `INSERT INTO identities SELECT ${workspace}, one.2, rand64(), one.3, one.1 FROM (SELECT arrayJoin(
       arrayZip({mpids:Array(Int64)}, {types:Array(UInt8)}, {texts:Array(String)})) AS one)`,
    { params },
  );
  await warehouse.command(
    `INSERT INTO profiles SELECT ${workspace}, one.1, one.2, one.3 FROM (SELECT arrayJoin(
       arrayZip({mpids:Array(Int64)}, {types:Array(UInt8)}, {texts:Array(String)})) AS one)`,
    { params },
  );
}

/** How often a property is tried of which `all` runs are all. */
export type Runs = (all: number) => { numRuns: number };

/** What holds of the rows of members; `opened` gives the warehouse once the suite around this one has opened it. */
export function describeMemberRows(opened: () => Warehouse, runs: Runs): void {
  let warehouse: Warehouse;
  let ledger: Ledger;
  /** Apart from those of the suite around. */
  let nextAudience = 100_001;

  beforeAll(() => {
    warehouse = opened();
    ledger = new Ledger(warehouse);
  });

  it('reads members as a page gives them, whatever the values and the forms', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(anyIdentity, { maxLength: 14 }), anyForms, async (identities, forms) => {
        const audienceId = nextAudience++;
        const key = { audienceId, workspace: 1000 + audienceId };
        await writeChanges(warehouse, audienceId, 1, new Set(), new Set([-4, -3, -1, 0, 1, 2]));
        await writeChanges(
          warehouse,
          audienceId,
          2,
          new Set([-4, -3, -1, 0, 1, 2]),
          new Set([-3, -1, 0, 2, 4]),
        );
        // Twice, as after a retry: in parts that are not merged yet.
        for (const some of [identities, identities.filter((_, index) => index % 3 === 0)]) {
          if (some.length > 0) await insertIdentities(warehouse, key.workspace, some);
        }
        const selection = { what: 'members', version: 2 } as const;
        const found: OutputMember[] = [];
        const pages = ledger.pages(key, selection, { forms });
        for (let after: string | null = null; ;) {
          const page: RowsPage = await pages.page({ after, limit: 2 });
          found.push(...everybodyIn(page.rows));
          if (page.next === null) break;
          after = page.next;
        }
        const whole = await ledger.page(key, selection, { after: null, limit: 100, forms });
        expect(found).toEqual(whole.members);
        // Also the order of the types, which toEqual does not look at.
        expect(JSON.stringify(found)).toBe(JSON.stringify(whole.members));
      }),
      runs(25),
    );
  }, 240_000);

  it('reads every selection and every part of it as a page gives it', async () => {
    const forms = (['phone', 'customer_id', 'email'] as const).map((type) => ({
      type,
      encoding: 'raw' as const,
    }));
    const anySelection = fc.constantFrom<Selection>(
      { what: 'members', version: 1 },
      { what: 'members', version: 3 },
      { what: 'add', from: 0, to: 2 },
      { what: 'remove', from: 1, to: 2 },
      { what: 'again', since: 1, from: 2, to: 3 },
      { what: 'reached', versions: [1, 3], kept: [] },
    );
    const anyCondition = fc.constantFrom(undefined, '1', 'mpid % 2 = 0');
    await fc.assert(
      fc.asyncProperty(
        fc.array(anyIdentity, { maxLength: 14 }),
        anySelection,
        anyCondition,
        fc.boolean(),
        // The first window of the ledger has three times as many rows.
        fc.integer({ min: 1, max: 3 }),
        async (identities, selection, condition, isTwice, limit) => {
          const audienceId = nextAudience++;
          const key = { audienceId, workspace: 3000 + audienceId };
          const states = [
            [-4, -3, -1, 0, 1, 2],
            [-4, -1, 0, 2, 4],
            [-4, -3, 0, 2, 4],
          ].map((all) => new Set(all));
          for (const [index, state] of states.entries())
            await writeChanges(warehouse, audienceId, index + 1, states[index - 1] ?? new Set(), state);
          // Twice, as after a retry.
          if (isTwice) await writeChanges(warehouse, audienceId, 1, new Set(), new Set([-3, 0, 1]));
          // Twice, as after a retry: in parts that are not merged yet.
          for (const some of [identities, identities.slice(2)].filter(({ length }) => length > 0))
            await insertIdentities(warehouse, key.workspace, some);
          const request = { forms, ...(condition === undefined ? {} : { condition }) };
          const found: OutputMember[] = [];
          const pages = ledger.pages(key, selection, request);
          for (let after: string | null = null; ;) {
            const page: RowsPage = await pages.page({ after, limit });
            found.push(...everybodyIn(page.rows));
            if (page.next === null) break;
            after = page.next;
          }
          const whole = await ledger.page(key, selection, { ...request, after: null, limit: 100 });
          expect(found).toEqual(whole.members);
        },
      ),
      runs(25),
    );
  }, 240_000);

  it('reads the few members of an audience among the many people of a workspace', async () => {
    const audienceId = nextAudience++;
    await writeChanges(warehouse, audienceId, 1, new Set(), new Set([-90_000, 5, 90_000]));
    await warehouse.command(
      `INSERT INTO profiles SELECT 78, number - 99999, ${codeOf('email')}, concat('p', toString(number - 99999), '@example.com')
       FROM numbers(200000) WHERE number - 99999 != 5`,
    );
    const { rows, next } = await ledger
      .pages(
        { audienceId, workspace: 78 },
        { what: 'add', from: 0, to: 1 },
        { forms: [{ type: 'email', encoding: 'raw' }] },
      )
      .page({ after: null, limit: 10 });
    expect([everybodyIn(rows), next]).toEqual([
      [
        { mpid: '-90000', identities: { email: ['p-90000@example.com'] } },
        { mpid: '5', identities: {} },
        { mpid: '90000', identities: { email: ['p90000@example.com'] } },
      ],
      null,
    ]);
  });

  it('reads ids of data partners bare, in a workspace that has some', async () => {
    const audienceId = nextAudience++;
    const key = { audienceId, workspace: 79 };
    await writeChanges(warehouse, audienceId, 1, new Set(), new Set([1, 2]));
    await insertIdentities(warehouse, key.workspace, [
      { owner: 1, type: 'voter_id', value: 'targetsmart:VB1' },
      { owner: 2, type: 'email', value: 'a:b@example.com' },
    ]);
    const forms = IDENTITY_TYPES.map((type) => ({ type, encoding: 'raw' as const }));
    const { rows } = await ledger
      .pages(key, { what: 'add', from: 0, to: 1 }, { forms })
      .page({ after: null, limit: 10 });
    expect(everybodyIn(rows)).toEqual([
      { mpid: '1', identities: { voter_id: ['VB1'] } },
      { mpid: '2', identities: { email: ['a:b@example.com'] } },
    ]);
  });

  it('writes what is no UTF-8 as U+FFFD, so that the text is JSON', async () => {
    const audienceId = nextAudience++;
    await writeChanges(warehouse, audienceId, 1, new Set(), new Set([3]));
    await warehouse.command(`INSERT INTO profiles VALUES (77, 3, ${codeOf('email')}, unhex('41FF42'))`);
    const forms = IDENTITY_TYPES.map((type) => ({ type, encoding: 'raw' as const }));
    const { rows } = await ledger
      .pages({ audienceId, workspace: 77 }, { what: 'add', from: 0, to: 1 }, { forms })
      .page({ after: null, limit: 10 });
    const start = { owner: 0, identity: 0, attribute: 0 };
    const json = new JsonText();
    addMembers(json, [{ rows, start, end: rows.owners.length }]);
    expect(json.take().toString()).toBe('[{"mpid":"3","identities":{"email":["A\uFFFDB"]}}]');
  });
}
