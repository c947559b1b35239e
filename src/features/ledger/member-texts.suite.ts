import { beforeAll, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { MEMBER_CLOSE } from '../../domain/members/index.js';
import { codeOf } from '../../domain/identities/identity-codes.js';
import { IDENTITY_TYPES, type IdentityForm, type IdentityType, type OutputMember } from '../../kit/index.js';
import type { Warehouse } from '../../platform/warehouse/index.js';
import { Ledger } from './ledger.js';

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
  fc.constantFrom(
    '"',
    '\\',
    '\\"',
    '\n',
    ']}},\n{"mpid":"1',
    '\0',
    '\u2028',
    '\u001f',
    '/',
    "'",
    'é漢👩‍👩‍👧',
    '',
  ),
);
const anyForms = fc.uniqueArray(
  fc.record<IdentityForm>({
    type: fc.constantFrom('email', 'phone', 'customer_id'),
    encoding: fc.constantFrom('raw', 'md5', 'sha256', 'sha256_base64'),
    profile: fc.constantFrom(undefined, 'meta@2024-07', 'google@2025-06'),
  }),
  { selector: ({ type, encoding, profile }) => `${type} ${encoding} ${profile}`, maxLength: 5 },
);
const anyIdentity = fc.record({
  owner: fc.integer({ min: -4, max: 4 }),
  type: fc.constantFrom<IdentityType>('email', 'email_md5', 'phone', 'customer_id', 'npi'),
  value: anyValue,
});

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
    `INSERT INTO profiles SELECT ${workspace}, one.1, one.2, one.3 FROM (SELECT arrayJoin(
       arrayZip({mpids:Array(Int64)}, {types:Array(UInt8)}, {texts:Array(String)})) AS one)`,
    { params },
  );
}

/** What holds of the text of members; `opened` gives the warehouse once the suite around this one has opened it. */
export function describeMemberTexts(opened: () => Warehouse): void {
  let warehouse: Warehouse;
  let ledger: Ledger;
  /** Apart from those of the suite around. */
  let nextAudience = 100_001;

  beforeAll(() => {
    warehouse = opened();
    ledger = new Ledger(warehouse);
  });

  it('writes members as the JSON of what a page gives, whatever the values and the forms', async () => {
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
        for (let after: string | null = null; ;) {
          const page = await ledger.texts(key, selection, { after, limit: 2, forms });
          const json = page.text.length === 0 ? '[]' : `[${page.text.toString()}${MEMBER_CLOSE}]`;
          found.push(...(JSON.parse(json) as OutputMember[]));
          if (page.next === null) break;
          after = page.next;
        }
        const whole = await ledger.page(key, selection, { after: null, limit: 100, forms });
        const bare = ({ mpid, identities: own }: OutputMember) =>
          Object.keys(own).length === 0 ? { mpid, identities: { '': [] } } : { mpid, identities: own };
        expect(found).toEqual(whole.members.map(bare));
        // Also the order of the types, which toEqual does not look at.
        expect(JSON.stringify(found)).toBe(JSON.stringify(whole.members.map(bare)));
      }),
      { numRuns: 25 },
    );
  }, 240_000);

  it('reads identities as they stand where everybody has one, and gives the text of the longer way', async () => {
    const forms = (['customer_id', 'email', 'phone'] as const).map((type) => ({
      type,
      encoding: 'raw' as const,
    }));
    const [first, ...later] = forms;
    const declared = { straight: forms, elsewise: [...later, ...(first ? [first] : [])] };
    const membersOf = (text: Buffer) =>
      JSON.parse(text.length === 0 ? '[]' : `[${text.toString()}${MEMBER_CLOSE}]`) as OutputMember[];
    await fc.assert(
      fc.asyncProperty(
        fc.array(anyIdentity, { maxLength: 14 }),
        fc.constantFrom<Parameters<Ledger['texts']>[1]>(
          { what: 'members', version: 1 },
          { what: 'members', version: 2 },
          { what: 'add', from: 0, to: 1 },
          { what: 'add', from: 0, to: 2 },
          { what: 'remove', from: 1, to: 2 },
        ),
        fc.constantFrom(undefined, '1', 'mpid % 2 = 0'),
        async (identities, selection, condition) => {
          const audienceId = nextAudience++;
          const key = { audienceId, workspace: 3000 + audienceId };
          await writeChanges(warehouse, audienceId, 1, new Set(), new Set([-4, -3, -1, 0, 1, 2]));
          await writeChanges(
            warehouse,
            audienceId,
            2,
            new Set([-4, -3, -1, 0, 1, 2]),
            new Set([-4, -1, 0, 2, 4]),
          );
          const everybody = [-4, -3, -1, 0, 1, 2, 4].map((owner) => ({
            owner,
            type: 'phone' as const,
            value: `555${owner}`,
          }));
          // Twice, as after a retry: in parts that are not merged yet.
          for (const some of [everybody, identities, [...identities, ...everybody]].filter(
            ({ length }) => length > 0,
          ))
            await insertIdentities(warehouse, key.workspace, some);
          for (let after: string | null = null; ;) {
            const request = { after, limit: 3, ...(condition === undefined ? {} : { condition }) };
            const stored = await ledger.texts(key, selection, { ...request, forms: declared.straight });
            const longer = await ledger.texts(key, selection, {
              ...request,
              forms: declared.straight,
              bare: true,
            });
            const elsewise = await ledger.texts(key, selection, { ...request, forms: declared.elsewise });
            const someText = stored.text.length > 0;
            expect(stored.bare).toBe(false);
            expect(someText && !(longer.bare && elsewise.bare)).toBe(false);
            expect(stored.text.toString()).toBe(longer.text.toString());
            expect(membersOf(stored.text)).toEqual(membersOf(elsewise.text));
            expect([longer.next, elsewise.next]).toEqual([stored.next, stored.next]);
            if (stored.next === null) break;
            after = stored.next;
          }
        },
      ),
      { numRuns: 12 },
    );
  }, 240_000);

  it('writes the few members of an audience among the many people of a workspace', async () => {
    const audienceId = nextAudience++;
    await writeChanges(warehouse, audienceId, 1, new Set(), new Set([-90_000, 5, 90_000]));
    await warehouse.command(
      `INSERT INTO profiles SELECT 78, number - 99999, ${codeOf('email')}, concat('p', toString(number - 99999), '@example.com')
       FROM numbers(200000) WHERE number - 99999 != 5`,
    );
    const { text, next } = await ledger.texts(
      { audienceId, workspace: 78 },
      { what: 'add', from: 0, to: 1 },
      { after: null, limit: 10, forms: [{ type: 'email', encoding: 'raw' }] },
    );
    expect([JSON.parse(`[${text.toString()}${MEMBER_CLOSE}]`), next]).toEqual([
      [
        { mpid: '-90000', identities: { email: ['p-90000@example.com'] } },
        { mpid: '5', identities: { '': [] } },
        { mpid: '90000', identities: { email: ['p90000@example.com'] } },
      ],
      null,
    ]);
  });

  it('writes what is no UTF-8 as U+FFFD, so that the text is JSON', async () => {
    const audienceId = nextAudience++;
    await writeChanges(warehouse, audienceId, 1, new Set(), new Set([3]));
    await warehouse.command(`INSERT INTO profiles VALUES (77, 3, ${codeOf('email')}, unhex('41FF42'))`);
    const forms = IDENTITY_TYPES.map((type) => ({ type, encoding: 'raw' as const }));
    const { text } = await ledger.texts(
      { audienceId, workspace: 77 },
      { what: 'add', from: 0, to: 1 },
      { after: null, limit: 10, forms },
    );
    expect(text.toString()).toBe('{"mpid":"3","identities":{"email":["A\uFFFDB"');
  });
}
