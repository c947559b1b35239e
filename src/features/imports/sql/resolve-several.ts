import { codeOf, namespaceSql, priorityOf, prioritySql } from '../../../domain/identities/index.js';
import type { IdentityType } from '../../../kit/index.js';
import type { Warehouse } from '../../../platform/warehouse/index.js';
import { MERGED } from '../../ledger/index.js';
import { dropDecision, isRegistered, registerDecisions, setDown } from './decision.js';
import { mpidSql, withoutCollisions } from './mpid.js';
import type { OnCounted, ResolveCounts, ResolveRequest } from './resolve.js';
import { drop, recreate } from './tables.js';

/** Types of which a person in a file has one (of each data partner): another value of them means another person. */
const ONE_EACH: readonly IdentityType[] = ['customer_id', 'voter_id', 'npi', 'email'];

/** Rows hand their label on through shared identities; each round reaches one strength further. */
const MAX_ROUNDS = 16;

/**
 * Resolves a file whose rows have several identities.
 *
 * 1. A row is the profile of its strongest known identity,
 * 2. unless it brings a stronger one of which that profile already has another value (two people who share a
 *    phone): then it is somebody new.
 * 3. A row that is nobody known is whoever in the file holds its strongest identity: a known person first,
 *    then the row with the strongest identity of all that share it. What is shared only through weaker
 *    identities does not join people.
 */
export async function resolveSeveral(
  warehouse: Warehouse,
  request: ResolveRequest,
  onCounted: OnCounted,
): Promise<ResolveCounts> {
  if (request.create && (await isRegistered(warehouse, request.tables))) {
    const counts = await countRows(warehouse, request);
    await onCounted(counts);
    return counts;
  }
  // It belongs to the `rows` that it was made with; those are about to be made anew.
  await dropDecision(warehouse, request.tables);
  await findKnown(warehouse, request);
  const { known, unknown } = await countFound(warehouse, request);
  // Rows contradict a profile only through what is unknown of them while something else is known.
  const conflicts = known > 0 && unknown > 0 ? await findConflicts(warehouse, request) : undefined;
  await labelRows(warehouse, request, conflicts);
  // Where every identity is known, every row is somebody, and nothing is left to hand on or to learn.
  if (unknown > 0) await settleLabels(warehouse, request);
  const counts = await countRows(warehouse, request);
  await onCounted(counts);
  if (request.create && unknown > 0) await register(warehouse, request);
  return counts;
}

/** Identities of the file by whether somebody has them. */
async function countFound(warehouse: Warehouse, { tables }: ResolveRequest) {
  const [row] = await warehouse.query<{ of_somebody: string; of_nobody: string }>(
    `SELECT countIf(known = 1) AS of_somebody, countIf(known = 0) AS of_nobody FROM ${tables.found}`,
    { lane: 'bulk' },
  );
  return { known: Number(row?.of_somebody ?? 0), unknown: Number(row?.of_nobody ?? 0) };
}

async function countRows(
  warehouse: Warehouse,
  { tables, create, plan }: ResolveRequest,
): Promise<ResolveCounts> {
  const inFile = new Set([...plan.mapping.identities.map(({ type }) => type), ...plan.hashForms]);
  const types = [...inFile];
  const counts = types.map((type) => `countIf(r.rank = 0 AND r.matched_by = ${priorityOf(type)})`);
  const [row] = await warehouse.query<{
    matched: string;
    others: string;
    profiles: string;
    by: (string | number)[];
  }>(
    `SELECT countIf(r.rank = 0) AS matched, countIf(r.rank = 1) AS others,
       uniqExactIf(r.hash, r.rank = 1) AS profiles, [${counts.join(', ')}] AS by
     FROM (SELECT row FROM ${tables.stage} WHERE first = 1 AND type != 0) AS s
     INNER JOIN ${tables.rows} AS r ON s.row = r.row`,
    { lane: 'bulk' },
  );
  const others = Number(row?.others ?? 0);
  return {
    matched: Number(row?.matched ?? 0),
    created: create ? others : 0,
    unknown: create ? 0 : others,
    createdProfiles: create ? Number(row?.profiles ?? 0) : 0,
    matchedBy: Object.fromEntries(
      types.flatMap((type, index) => {
        const rows = Number(row?.by[index] ?? 0);
        return rows === 0 ? [] : [[type, rows]];
      }),
    ),
  };
}

/** `SELECT mpid` of the profiles in the file, with repetitions. */
export function severalMembersSql({ tables, create }: ResolveRequest): string {
  return `SELECT mpid FROM ${tables.rows} WHERE ${create ? '1' : 'rank = 0'}`;
}

/** `SELECT hash` of the people in the file that nobody knows, with repetitions. */
export function severalNewcomersSql({ tables }: ResolveRequest): string {
  return `SELECT hash FROM ${tables.rows} WHERE rank = 1`;
}

/** Table `found`: the stage, and for each identity whose it is, if anybody's. */
async function findKnown(warehouse: Warehouse, { workspace, tables }: ResolveRequest): Promise<void> {
  await recreate(
    warehouse,
    tables.found,
    `(row UInt128 CODEC(NONE), type UInt8, priority UInt8, hash UInt128 CODEC(NONE), value String, derived UInt8, known UInt8, mpid Int64)
     ENGINE = MergeTree ORDER BY (type, hash)`,
  );
  await warehouse.command(
    `INSERT INTO ${tables.found}
     SELECT s.row, s.type, ${prioritySql('s.type')}, s.hash, s.value, s.derived, i.known, i.mpid
     FROM (SELECT row, type, hash, value, derived FROM ${tables.stage} WHERE type != 0) AS s
     ANY LEFT JOIN (
       SELECT type, hash, mpid, toUInt8(1) AS known FROM identities WHERE workspace = ${workspace}
     ) AS i ON s.type = i.type AND s.hash = i.hash`,
    { lane: 'bulk', settings: MERGED },
  );
}

/**
 * Table `rows`: for each row its label (rank 0: a known profile, 1: somebody new; then the strongest identity
 * it goes by), its own strongest identity, and the strength of the one by which it is somebody: the strongest
 * that is known, or else its own, by which other rows of the file hand their label on to it.
 */
async function labelRows(
  warehouse: Warehouse,
  { tables }: ResolveRequest,
  conflicts: string | undefined,
): Promise<void> {
  const agrees = conflicts === undefined ? '1' : `row NOT IN (SELECT row FROM ${conflicts})`;
  await recreate(warehouse, tables.rows, ROWS_COLUMNS);
  await warehouse.command(
    `INSERT INTO ${tables.rows}
     SELECT row, if(any_known AND ${agrees}, 0, 1) AS rank,
       if(rank = 0, known_priority, own.1) AS priority, if(rank = 0, toUInt128(0), own.2) AS hash,
       if(rank = 0, known_mpid, 0) AS mpid, own.3 AS own_type, own.2 AS own_hash, priority AS matched_by
     FROM (
       SELECT row, max(known) = 1 AS any_known, minIf(priority, known = 1) AS known_priority,
         argMinIf(mpid, (priority, hash), known = 1) AS known_mpid,
         argMinIf((priority, hash, type), (priority, hash), derived = 0) AS own
       FROM ${tables.found} GROUP BY row
     )`,
    { lane: 'bulk' },
  );
}

const ROWS_COLUMNS = `(row UInt128 CODEC(NONE), rank UInt8, priority UInt8, hash UInt128 CODEC(NONE), mpid Int64,
  own_type UInt8, own_hash UInt128 CODEC(NONE), matched_by UInt8) ENGINE = MergeTree ORDER BY (own_type, own_hash)`;

/**
 * Scratch table of the rows that a weaker identity would make somebody they are not: the profile has another
 * value of a stronger type, or another row of this very file gives it one.
 *
 * A claim is an unknown identity of a row that is known by another one: `taught` where the known one is the
 * stronger (a customer's second address), else it is doubtful and checked here. Undefined: none is doubtful.
 */
async function findConflicts(
  warehouse: Warehouse,
  { workspace, tables }: ResolveRequest,
): Promise<string | undefined> {
  const claims = `${tables.scratch}claims`;
  const conflicts = `${tables.scratch}conflicts`;
  const oneEach = ONE_EACH.map((type) => codeOf(type)).join(', ');
  await recreate(
    warehouse,
    claims,
    `(row UInt128, mpid Int64, type UInt8, partner LowCardinality(String), hash UInt128, value String, taught UInt8)
     ENGINE = MergeTree ORDER BY (mpid, type, partner)`,
  );
  await warehouse.command(
    `INSERT INTO ${claims}
     SELECT row, known_mpid, claim.1, ${namespaceSql('claim.1', 'claim.3')}, claim.2, claim.3, claim.4 > known_priority
     FROM (
       SELECT row, argMinIf(mpid, (priority, hash), known = 1) AS known_mpid, minIf(priority, known = 1) AS known_priority,
         groupArrayIf((type, hash, value, priority), known = 0 AND type IN (${oneEach})) AS unknown, max(known) AS any_known
       FROM ${tables.found} GROUP BY row HAVING any_known = 1 AND notEmpty(unknown)
     ) ARRAY JOIN unknown AS claim`,
    { lane: 'bulk' },
  );
  const [doubtful] = await warehouse.query<{ n: string }>(
    `SELECT count() AS n FROM ${claims} WHERE taught = 0`,
    { lane: 'bulk' },
  );
  if (Number(doubtful?.n ?? 0) === 0) return undefined;
  await recreate(warehouse, conflicts, '(row UInt128) ENGINE = MergeTree ORDER BY row');
  await warehouse.command(
    `INSERT INTO ${conflicts}
     SELECT DISTINCT c.row FROM ${claims} AS c
     LEFT JOIN (
       SELECT mpid, type, partner, if(max(taught) = 1, groupUniqArrayIf(hash, taught = 1), [min(hash)]) AS allowed
       FROM ${claims} GROUP BY mpid, type, partner
     ) AS f ON c.mpid = f.mpid AND c.type = f.type AND c.partner = f.partner
     LEFT JOIN (
       SELECT mpid, type, ${namespaceSql('type', 'value')} AS partner, groupUniqArray(value) AS have FROM profiles
       WHERE workspace = ${workspace} AND type IN (${oneEach}) AND mpid IN (SELECT mpid FROM ${claims})
       GROUP BY mpid, type, partner
     ) AS p ON c.mpid = p.mpid AND c.type = p.type AND c.partner = p.partner
     WHERE c.taught = 0 AND NOT has(p.have, c.value) AND (notEmpty(p.have) OR NOT has(f.allowed, c.hash))`,
    { lane: 'bulk' },
  );
  return conflicts;
}

/** Hands labels on until nothing changes: a row takes the best label of all rows with its strongest identity. */
async function settleLabels(warehouse: Warehouse, { tables }: ResolveRequest): Promise<void> {
  const next = `${tables.scratch}next_rows`;
  for (let round = 0; round < MAX_ROUNDS; round += 1) {
    await recreate(warehouse, next, ROWS_COLUMNS);
    await warehouse.command(
      `INSERT INTO ${next}
       SELECT r.row, if(${BETTER}, o.label.1, r.rank), if(${BETTER}, o.label.2, r.priority), if(${BETTER}, o.label.3, r.hash),
         if(${BETTER}, o.label.4, r.mpid), r.own_type, r.own_hash, r.matched_by
       FROM (SELECT *, (rank, priority, hash, mpid) AS label FROM ${tables.rows}) AS r
       LEFT JOIN (
         SELECT f.type AS type, f.hash AS hash, min(l.label) AS label
         FROM (SELECT row, type, hash FROM ${tables.found} WHERE known = 0) AS f
         INNER JOIN (SELECT row, (rank, priority, hash, mpid) AS label FROM ${tables.rows}) AS l ON f.row = l.row
         GROUP BY f.type, f.hash
       ) AS o ON r.own_type = o.type AND r.own_hash = o.hash`,
      { lane: 'bulk' },
    );
    const [changed] = await warehouse.query<{ before: string; after: string }>(
      `SELECT (SELECT sum(cityHash64(row, rank, priority, hash, mpid)) FROM ${tables.rows}) AS before,
         (SELECT sum(cityHash64(row, rank, priority, hash, mpid)) FROM ${next}) AS after`,
      { lane: 'bulk' },
    );
    if (changed?.before === changed?.after) break;
    await warehouse.command(`EXCHANGE TABLES ${next} AND ${tables.rows}`);
  }
  await drop(warehouse, next);
}

/** The owner's label is there (its type is not 0) and stronger than the row's own; known rows keep theirs. */
const BETTER = '(r.rank = 1 AND o.type != 0 AND o.label < r.label)';

/** Gives new rows their mpid and writes the identities that nobody had. */
async function register(warehouse: Warehouse, request: ResolveRequest): Promise<void> {
  const { workspace, tables } = request;
  const strongest = `SELECT DISTINCT f.hash AS hash, f.value AS value, f.type AS type
    FROM (SELECT hash, value, type FROM ${tables.found} WHERE derived = 0 AND known = 0) AS f
    WHERE f.hash IN (SELECT hash FROM ${tables.rows} WHERE rank = 1)`;
  const rule = await withoutCollisions(warehouse, workspace, { select: strongest }, request.mpidBits);
  const named = `${tables.scratch}named_rows`;
  await recreate(warehouse, named, ROWS_COLUMNS);
  await warehouse.command(
    `INSERT INTO ${named} SELECT row, rank, priority, hash, if(rank = 1, ${mpidSql('hash', rule)}, mpid), own_type, own_hash, matched_by
     FROM ${tables.rows}`,
    { lane: 'bulk' },
  );
  await warehouse.command(`EXCHANGE TABLES ${named} AND ${tables.rows}`);
  await setDown(warehouse, request);
  await drop(warehouse, named);
  await registerDecisions(warehouse, workspace, request.onTaught);
}
