import { codeOf, namespaceSql } from '../../../../domain/identities/index.js';
import type { IdentityType } from '../../../../kit/index.js';
import type { Warehouse } from '../../../../platform/warehouse/index.js';
import type { ResolveRequest } from '../resolve.js';
import { MERGING, recreate } from '../tables.js';
import { STRENGTH } from './packed.js';

/** Types of which a person in a file has one (of each data partner): another value of them means another person. */
const ONE_EACH: readonly IdentityType[] = ['customer_id', 'voter_id', 'npi', 'email'];
const CODES = ONE_EACH.map((type) => codeOf(type)).join(', ');

/**
 * What is said of a profile and a type of which it has one, side by side: claims of rows of the file, and the values that the
 * profile has (of them `row` is 0).
 */
const CLAIMS = `(mpid Int64, type UInt8, partner String, row UInt128, hash UInt128, value String, taught UInt8)
  ENGINE = MergeTree ORDER BY (mpid, type, partner)`;

/**
 * Scratch table of the rows that a weaker identity would make somebody they are not: the profile has another
 * value of a stronger type, or another row of this very file gives it one.
 *
 * A claim is an unknown identity of a row that is known by another one: `taught` where the known one is the
 * stronger (a customer's second address), else it is doubtful and checked here. Undefined: none is doubtful.
 */
export async function findConflicts(
  warehouse: Warehouse,
  request: ResolveRequest,
): Promise<string | undefined> {
  const { scratch } = request.tables;
  const [claims, conflicts] = [`${scratch}claims`, `${scratch}conflicts`];
  await recreate(warehouse, claims, CLAIMS);
  await claim(warehouse, request, claims);
  const [doubtful] = await warehouse.query<{ n: string }>(
    `SELECT count() AS n FROM ${claims} WHERE taught = 0`,
    { lane: 'bulk' },
  );
  if (Number(doubtful?.n ?? 0) === 0) return undefined;
  await addWhatIsKnown(warehouse, request, claims);
  await recreate(warehouse, conflicts, '(row UInt128) ENGINE = MergeTree ORDER BY row');
  await warehouse.command(
    `INSERT INTO ${conflicts}
     SELECT arrayJoin(arrayFilter((r, h, v) -> NOT has(have, v) AND (notEmpty(have) OR NOT has(allowed, h)), doubtful, hashes, vals))
     FROM (
       SELECT groupArrayIf(row, row != 0 AND taught = 0) AS doubtful, groupArrayIf(hash, row != 0 AND taught = 0) AS hashes,
         groupArrayIf(value, row != 0 AND taught = 0) AS vals, groupUniqArrayIf(value, row = 0) AS have,
         if(max(taught) = 1, groupUniqArrayIf(hash, taught = 1), [minIf(hash, row != 0)]) AS allowed
       FROM ${claims} GROUP BY mpid, type, partner HAVING notEmpty(doubtful)
     )`,
    MERGING,
  );
  return conflicts;
}

async function claim(warehouse: Warehouse, { tables }: ResolveRequest, claims: string): Promise<void> {
  await warehouse.command(
    `INSERT INTO ${claims}
     SELECT k.known_mpid, f.type, ${namespaceSql('f.type', 'f.value')}, f.row, f.hash, f.value, f.priority > k.known_priority
     FROM (SELECT row, type, priority, hash, value FROM ${tables.found} WHERE known = 0 AND type IN (${CODES})) AS f
     ANY LEFT JOIN (
       SELECT row, argMin(mpid, ${STRENGTH}) AS known_mpid, min(priority) AS known_priority, toUInt8(1) AS is_known
       FROM ${tables.found} WHERE known = 1 GROUP BY row
     ) AS k ON f.row = k.row
     WHERE k.is_known = 1`,
    MERGING,
  );
}

async function addWhatIsKnown(
  warehouse: Warehouse,
  { workspace }: ResolveRequest,
  claims: string,
): Promise<void> {
  await warehouse.command(
    `INSERT INTO ${claims}
     SELECT p.mpid, p.type, ${namespaceSql('p.type', 'p.value')}, 0, 0, p.value, 0
     FROM (SELECT mpid, type, value FROM profiles WHERE workspace = ${workspace} AND type IN (${CODES})) AS p
     ANY LEFT JOIN (SELECT mpid, toUInt8(1) AS is_claimed FROM ${claims} GROUP BY mpid) AS c ON p.mpid = c.mpid
     WHERE c.is_claimed = 1`,
    MERGING,
  );
}
