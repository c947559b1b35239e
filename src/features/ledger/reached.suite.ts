import { beforeAll, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { codeOf } from '../../domain/identities/identity-codes.js';
import type { Warehouse } from '../../platform/warehouse/index.js';
import { ownersOf } from '../../../test/support/member-rows.js';
import { afterSql, betweenMpidsSql } from './ledger-range.js';
import { Ledger } from './ledger.js';
import type { RowsPage } from './member-rows.js';
import { type Runs, writeChanges } from './member-rows.suite.js';
import type { Selection } from './selections.js';

const PEOPLE = { min: -20, max: 20 };
/** The members of an audience version after version, and at which versions a partner may have them. */
const anyAudience = fc
  .array(fc.uniqueArray(fc.integer(PEOPLE), { maxLength: 15 }), { minLength: 1, maxLength: 4 })
  .chain((states) =>
    fc.record({
      states: fc.constant(states),
      versions: fc.uniqueArray(fc.nat({ max: states.length }), { minLength: 1, maxLength: 2 }),
      half: fc.constantFrom(undefined, 0, 1),
    }),
  );
type History = { states: number[][]; versions: number[]; half: number | undefined };

/** What holds of whom a removal takes away; `opened` gives the warehouse once the suite around this one has it. */
export function describeReached(opened: () => Warehouse, runs: Runs): void {
  let warehouse: Warehouse;
  let ledger: Ledger;
  const workspace = 77;
  let nextAudience = 300_001;

  beforeAll(async () => {
    warehouse = opened();
    ledger = new Ledger(warehouse);
    const people = Array.from({ length: PEOPLE.max - PEOPLE.min + 1 }, (_, index) => PEOPLE.min + index);
    const rows = people.map((n) => `(${workspace}, ${n}, ${codeOf('email')}, 'p${n}@example.com')`);
    await warehouse.command(`INSERT INTO profiles VALUES ${rows.join(', ')}`);
  });

  const conditionOf = ({ half }: History) => (half === undefined ? '1' : `abs(mpid) % 2 = ${half}`);

  async function written({ states }: History): Promise<number> {
    const audienceId = nextAudience++;
    let before = new Set<number>();
    for (const [index, state] of states.entries()) {
      const after = new Set(state);
      await writeChanges(warehouse, audienceId, index + 1, before, after);
      before = after;
    }
    return audienceId;
  }

  /** By sets: members at any of the versions, of their half. */
  const model = ({ states, versions, half }: History) =>
    new Set(
      versions
        .flatMap((version) => states[version - 1] ?? [])
        .filter((n) => half === undefined || Math.abs(n) % 2 === half),
    );

  async function mpidsOfRows(
    key: { audienceId: number; workspace: number },
    selection: Selection,
    condition: string,
  ) {
    const forms = [{ type: 'email', encoding: 'raw' }] as const;
    const found: number[] = [];
    const pages = ledger.pages(key, selection, { forms, condition });
    for (let after: string | null = null; ;) {
      const page: RowsPage = await pages.page({ after, limit: 7 });
      found.push(...ownersOf(page.rows).map(Number));
      if (page.next === null) return found;
      after = page.next;
    }
  }

  it('is everybody who was a member at one of the versions and whom no other connection has there', async () => {
    await fc.assert(
      fc.asyncProperty(anyAudience, fc.array(anyAudience, { maxLength: 2 }), async (own, others) => {
        const key = { audienceId: await written(own), workspace };
        const kept = [];
        for (const one of others) {
          kept.push({ audienceId: await written(one), versions: one.versions, condition: conditionOf(one) });
        }
        const staying = new Set(others.flatMap((one) => [...model(one)]));
        const expected = [...model(own)].filter((n) => !staying.has(n)).sort((a, b) => a - b);
        const selection = { what: 'reached', versions: own.versions, kept } as const;
        const condition = conditionOf(own);
        expect(await mpidsOfRows(key, selection, condition)).toEqual(expected);
        expect(await ledger.count(key, selection, condition)).toBe(expected.length);
        const behind = `${condition} AND ${afterSql('3')}`;
        expect(await ledger.count(key, selection, behind)).toBe(expected.filter((n) => n > 3).length);
      }),
      runs(40),
    );
  });

  it('tells of those who leave whom another connection keeps', async () => {
    await fc.assert(
      fc.asyncProperty(
        anyAudience,
        fc.array(anyAudience, { minLength: 1, maxLength: 2 }),
        async (own, others) => {
          const key = { audienceId: await written(own), workspace };
          const [condition, to] = [conditionOf(own), own.states.length];
          const kept = [];
          for (const one of others) {
            kept.push({
              audienceId: await written(one),
              versions: one.versions,
              condition: conditionOf(one),
            });
          }
          const staying = new Set(others.flatMap((one) => [...model(one)]));
          const stays = model({ ...own, versions: [to] });
          const left = [...model({ ...own, versions: [1] })].filter((n) => !stays.has(n));
          const expected = left.filter((n) => staying.has(n)).sort((a, b) => a - b);
          const forms = [{ type: 'email', encoding: 'raw' }] as const;
          const selection = { what: 'shared', from: 1, to, kept } as const;
          const { members, bare } = await ledger.sendCounts(key, selection, forms, condition);
          expect([members, bare]).toEqual([expected.length, 0]);
          const found = await ledger.keptLeavers(key, { from: 1, to }, kept, condition);
          expect(found.map(Number)).toEqual(expected);
          const inside = `${condition} AND ${betweenMpidsSql('-5', '5')}`;
          const some = await ledger.keptLeavers(key, { from: 1, to }, kept, inside);
          expect(some.map(Number)).toEqual(expected.filter((n) => Math.abs(n) <= 5));
        },
      ),
      runs(40),
    );
  });
}
