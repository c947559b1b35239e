import { attributeColumns, codeOf, MAX_ATTRIBUTE_BYTES } from '../../../domain/identities/index.js';
import { sqlString } from '../../../domain/sql-text.js';
import type { FileSource, Warehouse } from '../../../platform/warehouse/index.js';
import { MERGED } from '../../ledger/index.js';
import { WIDE_BLOCKS } from './blocks.js';
import type { ResolveRequest } from './resolve.js';
import { isSingle, notBlank, rowKeySql, type StagePlan } from './stage.js';
import { isThere, recreate, type WorkTables } from './tables.js';

/** Values that were too long to keep, by 0-based column. */
export type LongValues = Map<number, number>;

/**
 * Columns that no identity is made of are kept as attributes of the profiles. They are read in a pass of their own,
 * so that files without them cost nothing.
 */
export async function stageAttributes(
  warehouse: Warehouse,
  tables: WorkTables,
  file: FileSource,
  plan: StagePlan,
): Promise<LongValues> {
  const { kept } = attributeColumns(plan.mapping);
  if (kept.length === 0) return new Map();
  await recreate(
    warehouse,
    tables.attributes,
    '(row UInt128 CODEC(NONE), vals Array(String), long Array(UInt8)) ENGINE = MergeTree ORDER BY row',
  );
  const cells = kept.map(({ column }) => `trim(BOTH ' \\t\\r\\n' FROM c${column + 1})`);
  await warehouse.load(
    file,
    tables.attributes,
    (source) => `SELECT row, arrayMap(v -> if(length(v) > ${MAX_ATTRIBUTE_BYTES}, '', v), cells) AS vals,
        arrayFilter((i, v) -> length(v) > ${MAX_ATTRIBUTE_BYTES}, arrayEnumerate(cells), cells) AS long
      FROM (SELECT ${rowKeySql(plan)} AS row, [${cells.join(', ')}] AS cells FROM ${source} WHERE ${notBlank(plan)})`,
    { settings: WIDE_BLOCKS },
  );
  const long = await warehouse.query<{ place: number; n: string }>(
    `SELECT arrayJoin(long) AS place, count() AS n FROM ${tables.attributes} GROUP BY place ORDER BY place`,
    { lane: 'bulk' },
  );
  return new Map(long.map(({ place, n }) => [kept[place - 1]?.column ?? 0, Number(n)]));
}

/** The import that says something of its people. */
export interface SaidBy {
  /** The import with the highest one wins, whichever is written first. */
  sequence: number;
  /** Some profiles stand in the file more than once. */
  repeats: boolean;
}

/**
 * Gives the profiles of the file its attributes. The import with the highest sequence wins, whichever is written
 * first; an empty cell leaves what is known.
 */
export async function keepAttributes(
  warehouse: Warehouse,
  request: ResolveRequest,
  { sequence, repeats }: SaidBy,
): Promise<void> {
  const cells = await attributeCellsSql(warehouse, request, repeats);
  if (cells === undefined) return;
  const { kept } = attributeColumns(request.plan.mapping);
  const texts = (of: readonly string[]) => `[${of.map((text) => sqlString(text)).join(', ')}]`;
  await warehouse.command(
    `INSERT INTO attributes
     SELECT ${request.workspace}, mpid, ${texts(kept.map(({ key }) => key))}[place],
       ${texts(kept.map(({ name }) => name))}[place], value, ${sequence} FROM (${cells})`,
    { lane: 'bulk', settings: { ...MERGED, ...WIDE_BLOCKS } },
  );
}

/**
 * `SELECT mpid, place, value` of what the file says, by the place (from 1) among its attributes; undefined where it has
 * none. Of people who `repeat`, each attribute takes one of their values, the same one in every run.
 */
export async function attributeCellsSql(
  warehouse: Warehouse,
  request: ResolveRequest,
  repeats: boolean,
): Promise<string | undefined> {
  const { kept } = attributeColumns(request.plan.mapping);
  // An import that was staged by a hub that kept no attributes has none.
  if (kept.length === 0 || !(await isThere(warehouse, request.tables.attributes))) return undefined;
  const { tables } = request;
  const isWithheld = await isThere(warehouse, tables.withheld);
  const taken = isWithheld ? `row NOT IN (SELECT key FROM ${tables.withheld})` : '1';
  const cells = `SELECT mpid, place, value FROM (
      SELECT o.mpid AS mpid, a.vals AS vals FROM (SELECT row, vals FROM ${tables.attributes} WHERE ${taken}) AS a
      ANY LEFT JOIN (${ownersSql(request)}) AS o ON a.row = o.row WHERE o.known = 1
    ) ARRAY JOIN vals AS value, arrayEnumerate(vals) AS place WHERE value != ''`;
  return repeats ? `SELECT mpid, place, max(value) AS value FROM (${cells}) GROUP BY mpid, place` : cells;
}

/** `SELECT row, mpid, known` of the file's rows that are somebody. */
function ownersSql(request: ResolveRequest): string {
  const [only] = request.plan.mapping.identities;
  if (only !== undefined && isSingle(request.plan)) {
    return `SELECT hash AS row, mpid, toUInt8(1) AS known FROM identities
      WHERE workspace = ${request.workspace} AND type = ${codeOf(only.type)}`;
  }
  const { tables, create } = request;
  return `SELECT row, mpid, toUInt8(1) AS known FROM ${tables.rows} WHERE ${create ? '1' : 'rank = 0'}`;
}
