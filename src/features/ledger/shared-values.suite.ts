import { createHash } from 'node:crypto';
import { beforeAll, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { codeOf } from '../../domain/identities/identity-codes.js';
import type { IdentityForm } from '../../kit/index.js';
import type { Warehouse } from '../../platform/warehouse/index.js';
import { Ledger } from './ledger.js';
import { type Runs, writeChanges } from './member-rows.suite.js';
import { formsThatMeet, sharedValues, type ValueRequest } from './shared-values.js';

const PEOPLE = { min: -6, max: 6 };
const FORMS: readonly IdentityForm[] = [
  { type: 'email', encoding: 'sha256', profile: 'google@2025-06' },
  { type: 'customer_id', encoding: 'raw' },
  { type: 'email_sha256', encoding: 'raw' },
];
const hashOf = (mailbox: number) => createHash('sha256').update(`adalove${mailbox}@gmail.com`).digest('hex');
/** What is known of a person: a mailbox in one spelling or the other, or its hash; or nothing of it. */
const anyPerson = fc.record({
  mailbox: fc.integer({ min: 0, max: 3 }),
  as: fc.constantFrom('adalove', 'ada.love', 'hash', 'nothing'),
  isCustomer: fc.boolean(),
});
const anyMembers = fc.uniqueArray(fc.integer(PEOPLE), { maxLength: 12 });
const anyWorld = fc.record({
  people: fc.array(anyPerson, {
    minLength: PEOPLE.max - PEOPLE.min + 1,
    maxLength: PEOPLE.max - PEOPLE.min + 1,
  }),
  before: anyMembers,
  after: anyMembers,
  other: anyMembers,
  few: fc.constantFrom(0, 100),
  limit: fc.constantFrom(2, 100),
});
type Person = typeof anyPerson extends fc.Arbitrary<infer P> ? P : never;

/** What holds of values that leavers share; `opened` gives the warehouse once the suite around this one has it. */
export function describeSharedValues(opened: () => Warehouse, runs: Runs): void {
  let warehouse: Warehouse;
  let workspace = 4700;
  let nextAudience = 400_001;
  beforeAll(() => {
    warehouse = opened();
  });

  async function know(people: readonly Person[]): Promise<void> {
    const rows = people.flatMap(({ mailbox, as, isCustomer }, index) => {
      const mpid = PEOPLE.min + index;
      const [type, value] =
        as === 'hash'
          ? (['email_sha256', hashOf(mailbox)] as const)
          : (['email', `${as}${mailbox}@gmail.com`] as const);
      return [
        ...(as === 'nothing' ? [] : [`(${workspace}, ${mpid}, ${codeOf(type)}, '${value}')`]),
        ...(isCustomer ? [`(${workspace}, ${mpid}, ${codeOf('customer_id')}, 'c${mpid}')`] : []),
      ];
    });
    if (rows.length > 0) await warehouse.command(`INSERT INTO profiles VALUES ${rows.join(', ')}`);
  }

  async function written(...states: number[][]): Promise<number> {
    const audienceId = nextAudience++;
    for (const [index, state] of states.entries()) {
      await writeChanges(warehouse, audienceId, index + 1, new Set(states[index - 1]), new Set(state));
    }
    return audienceId;
  }

  async function pagesOf(request: ValueRequest, window: { few: number; limit: number }): Promise<string[]> {
    const found: string[] = [];
    for (let after: string | null = null; ;) {
      const page: Awaited<ReturnType<typeof sharedValues>> = await sharedValues(warehouse, request, {
        ...window,
        after,
      });
      found.push(...page.values.map(({ mpid, type, value }) => `${mpid} ${type} ${value}`));
      if (page.upTo === null) return found.sort();
      after = page.upTo;
    }
  }

  it('are told where somebody who is there is known by them as they are sent, however they are stored', async () => {
    await fc.assert(
      fc.asyncProperty(anyWorld, async ({ people, before, after, other, few, limit }) => {
        workspace += 1;
        await know(people);
        const [own, others] = [await written(before, after), await written(other)];
        const personOf = (mpid: number) => people[mpid - PEOPLE.min];
        const valueOf = (mpid: number) => {
          const { mailbox = 0, as = 'nothing' } = personOf(mpid) ?? {};
          return as === 'nothing' ? [] : [hashOf(mailbox)];
        };
        const there = new Set([...after, ...other].flatMap(valueOf));
        const leavers = before.filter((mpid) => !after.includes(mpid));
        const sharing = leavers.filter((mpid) => valueOf(mpid).some((value) => there.has(value)));
        const expected = sharing.flatMap((mpid) => {
          // Where the hash is known, it goes out by both forms.
          const types = personOf(mpid)?.as === 'hash' ? ['email', 'email_sha256'] : ['email'];
          return valueOf(mpid).flatMap((value) => types.map((type) => `${mpid} ${type} ${value}`));
        });
        const request = {
          key: { audienceId: own, workspace },
          leavers: { what: 'remove', from: 1, to: 2 },
          condition: '1',
          there: [
            { audienceId: own, versions: [2], condition: '1' },
            { audienceId: others, versions: [1], condition: '1' },
          ],
          forms: FORMS,
        } as const;
        const meeting = { ...request, forms: formsThatMeet(FORMS) };
        expect(await pagesOf(meeting, { few, limit })).toEqual(expected.sort());
        const allOf = (mpid: number) => [
          ...valueOf(mpid),
          ...(personOf(mpid)?.isCustomer === true ? [`c${mpid}`] : []),
        ];
        const allThere = new Set([...after, ...other].flatMap(allOf));
        const wholly = leavers.filter(
          (mpid) => allOf(mpid).length > 0 && allOf(mpid).every((value) => allThere.has(value)),
        );
        expect(await new Ledger(warehouse).countWhollyShared(request)).toBe(wholly.length);
      }),
      runs(10),
    );
  });

  it('are not looked for where no two profiles can have one', () => {
    expect(
      formsThatMeet([
        { type: 'email', encoding: 'raw' },
        { type: 'customer_id', encoding: 'sha256' },
      ]),
    ).toEqual([]);
    expect(formsThatMeet(FORMS)).toEqual([FORMS[0], FORMS[2]]);
  });
}
