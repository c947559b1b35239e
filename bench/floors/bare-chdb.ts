import { createClient } from '@clickhouse/client';
import { createChdbConnection } from 'chdb/connection';
import { serveParent } from '../process/program.js';

/**
 * The least SQL that makes of a file of ids what the hub's import makes of it: the same three tables, and
 * nothing that makes an import safe (no check of the file, no counts, no guard, nothing that may die and run
 * again, no collisions of mpids). Its statements are the fastest that were found, whatever their memory.
 */
export type BareRequest =
  { do: 'open'; directory: string } | { do: 'import'; path: string; version: number } | { do: 'close' };

type Connection = NonNullable<NonNullable<Parameters<typeof createClient>[0]>['connection']>;

const TABLES = [
  `CREATE TABLE identities (workspace UInt32, type UInt8, hash UInt128 CODEC(NONE), value String, mpid Int64 CODEC(NONE))
   ENGINE = ReplacingMergeTree ORDER BY (workspace, type, hash)`,
  `CREATE TABLE profiles (workspace UInt32, mpid Int64, type UInt8, value String)
   ENGINE = ReplacingMergeTree ORDER BY (workspace, mpid, type, value)`,
  `CREATE TABLE ledger (audience_id UInt64, mpid Int64, version UInt32, sign Int8, at DateTime64(3, 'UTC'))
   ENGINE = MergeTree ORDER BY (audience_id, mpid, version)`,
  `CREATE TABLE stage (hash UInt128 CODEC(NONE), value String) ENGINE = MergeTree ORDER BY hash`,
  `CREATE TABLE fresh (hash UInt128 CODEC(NONE), value String) ENGINE = MergeTree ORDER BY hash`,
  `CREATE TABLE members (mpid Int64 CODEC(NONE)) ENGINE = MergeTree ORDER BY mpid`,
];

const KNOWN = 'SELECT hash, mpid, toUInt8(1) AS known FROM identities WHERE workspace = 1 AND type = 1';
/** The engine would make a kind of join of it that cannot merge. */
const MERGE = `SETTINGS join_algorithm = 'full_sorting_merge', query_plan_convert_any_join_to_semi_or_anti_join = 0,
  query_plan_convert_outer_join_to_inner_join = 0`;

/** Nobody comes twice, so nothing has to be folded on the way in. */
const DISTINCT = 'SETTINGS optimize_on_insert = 0';

const LOAD = (
  path: string,
) => `INSERT INTO stage SELECT reinterpretAsUInt128(sipHash128(toUInt8(1), line)), line
  FROM file('${path}', 'LineAsString', 'line String')`;
const MPID = 'reinterpretAsInt64(toUInt64(bitShiftRight(hash, 64)))';
const REGISTER = (from: string) => [
  `INSERT INTO profiles SELECT 1, ${MPID}, 1, value FROM ${from} ${DISTINCT}`,
  `INSERT INTO identities SELECT 1, 1, hash, value, ${MPID} FROM ${from} ${DISTINCT}`,
];
const FILE_MEMBERS = `SELECT i.mpid AS mpid FROM stage AS s ANY INNER JOIN (${KNOWN}) AS i ON s.hash = i.hash`;

/** Into empty tables: everybody is new, and everybody is added. */
function firstImport(path: string): string[] {
  return [
    LOAD(path),
    ...REGISTER('stage'),
    `INSERT INTO ledger SELECT 1, mpid, 1, 1, now64(3) FROM (${FILE_MEMBERS}) ${MERGE}`,
  ];
}

/** Everything is in the order in which it is compared, so two merges do it; grouping was slower. */
function refresh(path: string, version: number): string[] {
  return [
    'TRUNCATE TABLE stage',
    LOAD(path),
    `INSERT INTO fresh SELECT s.hash, s.value
     FROM stage AS s ANY LEFT JOIN (${KNOWN}) AS i ON s.hash = i.hash WHERE i.known = 0 ${MERGE}`,
    ...REGISTER('fresh'),
    `INSERT INTO members ${FILE_MEMBERS} ${MERGE}`,
    `INSERT INTO ledger
     SELECT 1, if(f.here = 1, f.mpid, m.mpid), ${version}, if(f.here = 1, 1, -1), now64(3)
     FROM (SELECT mpid, toUInt8(1) AS here FROM members) AS f
     FULL JOIN (SELECT mpid, toUInt8(1) AS here FROM ledger GROUP BY audience_id, mpid HAVING argMax(sign, version) = 1) AS m
       ON f.mpid = m.mpid
     WHERE f.here != m.here ${MERGE}, optimize_aggregation_in_order = 1`,
  ];
}

let client = createClient();

async function handle(request: BareRequest): Promise<unknown> {
  if (request.do === 'open') {
    const connection = createChdbConnection({ path: request.directory });
    client = createClient({ connection: connection as unknown as Connection });
    for (const query of TABLES) await client.command({ query });
    return undefined;
  }
  if (request.do === 'close') return client.close();
  const seconds: number[] = [];
  const { path, version } = request;
  for (const query of version === 1 ? firstImport(path) : refresh(path, version)) {
    const beganMs = performance.now();
    await client.command({ query });
    seconds.push((performance.now() - beganMs) / 1000);
  }
  return seconds;
}

serveParent(handle);
