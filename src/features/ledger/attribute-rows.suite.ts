import { expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { foldHeader } from '../../domain/identities/columns.js';
import { codeOf, sharedAttributes } from '../../domain/identities/index.js';
import { ownersOf } from '../../../test/support/member-rows.js';
import { MemberChunker } from '../../host/outputs/index.js';
import type { OutputMember } from '../../kit/index.js';
import type { Warehouse } from '../../platform/warehouse/index.js';
import type { Ledger } from './ledger.js';

/** A warehouse with a ledger, and an audience that is nobody else's. */
interface Place {
  warehouse: Warehouse;
  ledger: Ledger;
  audienceId: number;
}

/** One thing that an import said of somebody. */
interface Said {
  owner: number;
  /** Place among the attributes. */
  key: number;
  value: string;
  import: number;
}

const said: fc.Arbitrary<Said> = fc.record({
  owner: fc.integer({ min: -3, max: 3 }),
  key: fc.integer({ min: 0, max: 3 }),
  value: fc.oneof(
    fc.string({ unit: 'binary', minLength: 1, maxLength: 12 }),
    fc.constantFrom('"', '\\', '\n', '"]}},{"mpid":"1', '\0', "'", 'é漢'),
  ),
  import: fc.integer({ min: 1, max: 4 }),
});
const allSaid = fc.uniqueArray(said, {
  selector: (row) => `${row.owner} ${row.key} ${row.import}`,
  maxLength: 12,
});

/** Headers of any kind, told apart by more than case, and often those that JSON or SQL would stumble over. */
const names = fc.uniqueArray(
  fc.oneof(
    fc.constantFrom('mpid', 'Party', "O'Neil", '"', '\\', 'identities', '__proto__'),
    fc.string({ unit: 'grapheme', minLength: 1, maxLength: 8 }).filter((name) => foldHeader(name) !== ''),
  ),
  { minLength: 4, maxLength: 4, selector: foldHeader },
);

const MEMBERS = ['-3', '-1', '0', '2'];

/** What holds of attributes among the rows of members. */
export function sharesAttributes(place: () => Place): void {
  it('writes the attributes that are shared in front of the identities, as the latest import says', async () => {
    await fc.assert(
      fc.asyncProperty(names, allSaid, async (all, rows) => {
        const { warehouse, ledger, audienceId } = place();
        const key = { audienceId, workspace: 5000 + audienceId };
        const kept = sharedAttributes(all);
        await fill(
          warehouse,
          key,
          rows.map((row) => ({ ...row, name: kept[row.key]?.key ?? '' })),
        );
        // The last one is not shared.
        const attributes = kept.slice(0, 3);
        const request = { forms: [{ type: 'email', encoding: 'raw' } as const], attributes };
        const { rows: page } = await ledger
          .pages(key, { what: 'members', version: 1 }, request)
          .page({ after: null, limit: 100 });
        expect(ownersOf(page)).toEqual(MEMBERS);
        const chunker = new MemberChunker({ batchSize: 2 });
        const lists = [...chunker.push(page), ...chunker.flush()].map((chunk) => chunk.members);
        const members = lists.flatMap((list) => JSON.parse(list.json().toString()) as OutputMember[]);
        expect(members.map(({ mpid }) => mpid)).toEqual(['-3', '-1', '2']);
        // As objects they are the same.
        expect(lists.flatMap((list) => list.members)).toEqual(members);
        for (const { mpid, attributes: own = {} } of members) {
          const latest = attributes.flatMap(({ name }, index) => {
            const mine = rows.filter((row) => row.owner === Number(mpid) && row.key === index);
            const [last] = mine.sort((one, other) => other.import - one.import);
            return last ? [[name, last.value]] : [];
          });
          expect(Object.entries(own)).toEqual(latest);
        }
      }),
      { numRuns: 10 },
    );
  }, 240_000);
}

/** {@link MEMBERS}, all but 0 with an e-mail, and what is said of them and of others. */
async function fill(
  warehouse: Warehouse,
  { audienceId, workspace }: { audienceId: number; workspace: number },
  rows: readonly (Said & { name: string })[],
): Promise<void> {
  const ledger = MEMBERS.map((mpid) => `(${audienceId}, ${mpid}, 1, 1, now64(3))`);
  await warehouse.command(`INSERT INTO ledger VALUES ${ledger.join(', ')}`);
  const people = MEMBERS.filter((mpid) => mpid !== '0').map(
    (mpid) => `(${workspace}, ${mpid}, ${codeOf('email')}, 'p${mpid}@example.com')`,
  );
  await warehouse.command(`INSERT INTO profiles VALUES ${people.join(', ')}`);
  if (rows.length === 0) return;
  const params = {
    mpids: rows.map(({ owner }) => BigInt(owner)),
    keys: rows.map(({ name }) => name),
    values: rows.map(({ value }) => value),
    imports: rows.map((row) => row.import),
  };
  await warehouse.command(
    `INSERT INTO attributes SELECT ${workspace}, one.1, one.2, 'x', one.3, one.4 FROM (SELECT arrayJoin(arrayZip(
       {mpids:Array(Int64)}, {keys:Array(String)}, {values:Array(String)}, {imports:Array(UInt64)})) AS one)`,
    { params },
  );
}
