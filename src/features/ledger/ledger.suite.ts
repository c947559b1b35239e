import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { codeOf } from '../../domain/identities/identity-codes.js';
import type { Warehouse } from '../../platform/warehouse/index.js';
import { sharesAttributes } from './attribute-rows.suite.js';
import { Ledger } from './ledger.js';
import { describeMemberRows, type Runs, writeChanges } from './member-rows.suite.js';
import { describeReached } from './reached.suite.js';
import { describeSharedValues } from './shared-values.suite.js';
import { changesCheckSql } from './sql.js';

const ascending = (set: Iterable<number>) => [...set].sort((a, b) => a - b);

/** What holds of the ledger on either side of the warehouse; `share` of the runs of its properties, 1 is all. */
export function describeLedger(
  open: () => Promise<{ warehouse: Warehouse; close(): Promise<void> }>,
  share = 1,
): void {
  const runs: Runs = (all) => ({ numRuns: Math.ceil(all * share) });
  let opened: { warehouse: Warehouse; close(): Promise<void> };
  let warehouse: Warehouse;
  let ledger: Ledger;
  let nextAudience = 1;

  beforeAll(async () => {
    opened = await open();
    warehouse = opened.warehouse;
    ledger = new Ledger(warehouse);
  });
  afterAll(() => opened.close());

  describe('the rows of members', () => describeMemberRows(() => warehouse, runs));
  describe('whom a removal takes away', () => describeReached(() => warehouse, runs));
  describe('values of who leaves', () => describeSharedValues(() => warehouse, runs));

  const write = (audienceId: number, version: number, before: Set<number>, after: Set<number>) =>
    writeChanges(warehouse, audienceId, version, before, after);

  async function all(audienceId: number, selection: Parameters<Ledger['page']>[1]): Promise<number[]> {
    const found: number[] = [];
    let after: string | null = null;
    do {
      // Either kind of page, in turn; full ones are cut out of larger windows.
      const request = { after, limit: 7, forms: [], sparse: audienceId % 2 === 0 };
      const page = await ledger.page({ audienceId, workspace: 1 }, selection, request);
      found.push(...page.members.map((member) => Number(member.mpid)));
      after = page.next;
    } while (after !== null);
    return found;
  }

  it('equals a model of sets for any sequence of versions, also where rows are written twice', async () => {
    const states = fc.array(fc.uniqueArray(fc.integer({ min: -20, max: 20 }), { maxLength: 15 }), {
      minLength: 1,
      maxLength: 5,
    });
    await fc.assert(
      fc.asyncProperty(states, fc.boolean(), async (sets, twice) => {
        const audienceId = nextAudience++;
        const model = [new Set<number>(), ...sets.map((set) => new Set(set))];
        for (let version = 1; version < model.length; version += 1) {
          const [before, after] = [
            model[version - 1] ?? new Set<number>(),
            model[version] ?? new Set<number>(),
          ];
          await write(audienceId, version, before, after);
          if (twice) await write(audienceId, version, before, after);
        }
        const last = model.length - 1;
        const [from, to] = [Math.floor(last / 2), last];
        const [a, b] = [model[from] ?? new Set<number>(), model[to] ?? new Set<number>()];
        expect(await all(audienceId, { what: 'members', version: to })).toEqual(ascending(b));
        expect(await all(audienceId, { what: 'add', from, to })).toEqual(
          ascending([...b].filter((m) => !a.has(m))),
        );
        expect(await all(audienceId, { what: 'remove', from, to })).toEqual(
          ascending([...a].filter((m) => !b.has(m))),
        );
        const since = Math.floor(from / 2);
        const before = model[since] ?? new Set<number>();
        expect(await all(audienceId, { what: 'again', since, from, to })).toEqual(
          ascending([...b].filter((m) => a.has(m) && before.has(m))),
        );
        expect(await ledger.count({ audienceId, workspace: 1 }, { what: 'members', version: to })).toBe(
          b.size,
        );
        expect(await ledger.countChanges({ audienceId, workspace: 1 }, { from, to })).toEqual({
          added: [...b].filter((m) => !a.has(m)).length,
          removed: [...a].filter((m) => !b.has(m)).length,
        });
      }),
      runs(12),
    );
  });

  it('hands out the declared identities of each member, hashed where the form asks for it', async () => {
    const audienceId = nextAudience++;
    await write(audienceId, 1, new Set(), new Set([5, -7]));
    const email = codeOf('email');
    const hashed = codeOf('email_sha256');
    await warehouse.command(
      `INSERT INTO profiles VALUES (9, 5, ${email}, 'ann@example.com'), (9, 5, ${email}, 'ann@example.com'),
       (9, 5, ${hashed}, '${'ab'.repeat(32)}'), (8, 5, ${email}, 'other-workspace@example.com')`,
    );
    const page = await ledger.page(
      { audienceId, workspace: 9 },
      { what: 'members', version: 1 },
      {
        after: null,
        limit: 10,
        forms: [{ type: 'email', encoding: 'sha256' }],
      },
    );
    expect(page).toEqual({
      members: [
        { mpid: '-7', identities: {} },
        {
          mpid: '5',
          identities: {
            email: [
              '71d4f55f72fa128dfb468a1a3901507c804b74316488744d769d7f4b16696476',
              'ab'.repeat(32),
            ].sort(),
          },
        },
      ],
      next: null,
    });
  });

  sharesAttributes(() => ({ warehouse, ledger, audienceId: nextAudience++ }));

  it('forgets rows above the published version', async () => {
    const audienceId = nextAudience++;
    await write(audienceId, 1, new Set(), new Set([1]));
    await write(audienceId, 2, new Set([1]), new Set([1, 2]));
    await ledger.discardAbove(audienceId, 1);
    expect(await ledger.countsOf(audienceId, 2)).toEqual({ added: 0, removed: 0 });
    expect(await all(audienceId, { what: 'members', version: 2 })).toEqual([1]);
  });

  it('tells a version that holds what was meant from one that lacks, doubles or swaps somebody', async () => {
    const meantFor = nextAudience++;
    await write(meantFor, 1, new Set([9]), new Set([1, 2]));
    const [row] = await warehouse.query<{ sum: string }>(
      `SELECT ${changesCheckSql('mpid', 'sign')} AS sum FROM ledger WHERE audience_id = ${meantFor}`,
    );
    const meant = { added: 2, removed: 1, check: row?.sum ?? '' };
    expect(await ledger.holds(meantFor, 1, meant)).toBe(true);
    await write(meantFor, 1, new Set([9]), new Set([1]));
    expect(await ledger.holds(meantFor, 1, meant)).toBe(true);
    for (const [before, after] of [
      [[9], [1]],
      [[9], [1, 3]],
      [[8], [1, 2]],
      [[9], [1, 2, 3]],
    ]) {
      const audienceId = nextAudience++;
      await write(audienceId, 1, new Set(before), new Set(after));
      expect(await ledger.holds(audienceId, 1, meant)).toBe(false);
    }
  });

  it('tells when a profile came and went', async () => {
    const audienceId = nextAudience++;
    await write(audienceId, 1, new Set(), new Set([4]));
    await write(audienceId, 2, new Set([4]), new Set());
    await write(audienceId, 3, new Set(), new Set([4]));
    const entries = await ledger.timeline({ audienceId, workspace: 1 }, '4', 2);
    expect(entries.map(({ version, change }) => [version, change])).toEqual([
      [1, 'add'],
      [2, 'remove'],
    ]);
    expect(Number.isNaN(Date.parse(entries[0]?.at ?? ''))).toBe(false);
  });
}
