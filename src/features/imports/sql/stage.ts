import {
  codeOf,
  hashFormsSql,
  identityHashSql,
  normaliseSql,
  type ColumnMapping,
  type MappedIdentity,
  type NormaliseOptions,
} from '../../../domain/identities/index.js';
import type { IdentityType } from '../../../kit/index.js';
import type { FileSource, Warehouse } from '../../../platform/warehouse/index.js';
import { create, dropTables, type WorkTables } from './tables.js';

/** How the rows of one import become identities. */
export interface StagePlan {
  mapping: ColumnMapping;
  options: NormaliseOptions;
  /** Hash forms (identity types) that raw e-mails and phones are to be found by as well. */
  hashForms: readonly IdentityType[];
}

/** What the stage holds. Rows = records with something in them; rejected ones have no valid identity. */
export interface StageCounts {
  rows: number;
  rejected: number;
  /** Rows that are accepted though one of their cells is invalid. */
  withInvalidCells: number;
}

/**
 * True where every row has one identity: the row IS the identity, and nothing has to be kept together. Ten
 * times as many people fit into the same memory then.
 */
export function isSingle(plan: StagePlan): boolean {
  const [only, ...others] = plan.mapping.identities;
  return only !== undefined && others.length === 0 && formsOf(only.type, plan).length === 0;
}

/** Loads the file into the stage table, normalised and hashed by the engine. */
export async function stageFile(
  warehouse: Warehouse,
  tables: WorkTables,
  file: FileSource,
  plan: StagePlan,
): Promise<StageCounts> {
  // What was made of the stage before this one must not be taken for this one's.
  await dropTables(warehouse, tables);
  return isSingle(plan)
    ? stageSingle(warehouse, tables, file, plan)
    : stageSeveral(warehouse, tables, file, plan);
}

async function stageSingle(
  warehouse: Warehouse,
  tables: WorkTables,
  file: FileSource,
  plan: StagePlan,
): Promise<StageCounts> {
  const [identity] = plan.mapping.identities;
  if (identity === undefined) throw new Error('A mapping without identities cannot be staged.');
  const { value, reason } = identitySql(identity, plan.options);
  await create(
    warehouse,
    tables.stage,
    `(hash UInt128 CODEC(NONE), value String, bad UInt8) ENGINE = MergeTree ORDER BY hash`,
  );
  const hash = `if(value = '', toUInt128(0), ${identityHashSql(identity.type, 'value')})`;
  await warehouse.load(
    file,
    tables.stage,
    (source) => `SELECT ${hash} AS hash, value, value = '' AS bad
      FROM (SELECT ${value} AS value, ${reason} AS reason FROM ${source} WHERE ${notBlank(plan)})`,
  );
  const [counts] = await warehouse.query<{ n: string; bad: string }>(
    `SELECT count() AS n, countIf(bad = 1) AS bad FROM ${tables.stage}`,
  );
  return { rows: Number(counts?.n), rejected: Number(counts?.bad), withInvalidCells: 0 };
}

/**
 * One stage row an identity; a rejected row leaves one with type 0. `row` is a hash of all identities of the
 * row: rows that say the same are one.
 */
async function stageSeveral(
  warehouse: Warehouse,
  tables: WorkTables,
  file: FileSource,
  plan: StagePlan,
): Promise<StageCounts> {
  await create(
    warehouse,
    tables.stage,
    `(type UInt8, hash UInt128 CODEC(NONE), value String, row UInt128 CODEC(NONE), first UInt8, bad UInt8, derived UInt8)
     ENGINE = MergeTree ORDER BY (type, hash)`,
  );
  await warehouse.load(
    file,
    tables.stage,
    (source) => `SELECT identity.1 AS type, ${identityHashSql({ codeSql: 'type' }, 'value')} AS hash,
        identity.2 AS value, row, position = 1 AS first, bad, identity.3 AS derived
      FROM (
        SELECT ${rowSql('valid')} AS row, bad,
          if(empty(valid), [(toUInt8(0), '', toUInt8(0))], ${withFormsSql(plan)}) AS identities
        FROM (SELECT ${validSql(plan)} AS valid, ${badSql(plan)} AS bad FROM ${source} WHERE ${notBlank(plan)})
      ) ARRAY JOIN identities AS identity, arrayEnumerate(identities) AS position`,
  );
  const [counts] = await warehouse.query<{ n: string; rejected: string; partly: string }>(
    `SELECT countIf(first = 1) AS n, countIf(first = 1 AND type = 0) AS rejected,
       countIf(first = 1 AND type != 0 AND bad = 1) AS partly FROM ${tables.stage}`,
  );
  return {
    rows: Number(counts?.n),
    rejected: Number(counts?.rejected),
    withInvalidCells: Number(counts?.partly),
  };
}

const rowSql = (validIdentities: string): string => `reinterpretAsUInt128(sipHash128(${validIdentities}))`;

/** SQL (UInt128) over the columns of the file: what tells its rows apart in the stage, `hash` or `row`. */
export function rowKeySql(plan: StagePlan): string {
  const [only] = plan.mapping.identities;
  if (only === undefined || !isSingle(plan)) return rowSql(validSql(plan));
  return identityHashSql(only.type, identitySql(only, plan.options).value);
}

function identitySql(identity: MappedIdentity, options: NormaliseOptions) {
  return normaliseSql(
    identity.type,
    identity.columns.map((column) => `c${column + 1}`),
    identity.partner === undefined ? options : { ...options, partner: identity.partner },
  );
}

/** Array(Tuple(type, value, derived)) of the valid identities of a row. */
function validSql(plan: StagePlan): string {
  const all = plan.mapping.identities.map(
    (identity) =>
      `(toUInt8(${codeOf(identity.type)}), ${identitySql(identity, plan.options).value}, toUInt8(0))`,
  );
  return `arrayFilter(i -> i.2 != '', [${all.join(', ')}])`;
}

/** 1 where a cell of the row is there but invalid. */
function badSql(plan: StagePlan): string {
  const reasons = plan.mapping.identities.map((identity) => {
    const { value, reason } = identitySql(identity, plan.options);
    return `(${value} = '' AND ${reason} != '')`;
  });
  return `toUInt8(${reasons.join(' OR ')})`;
}

/** `valid` and the hash forms that are kept of its raw e-mails and phones. */
function withFormsSql(plan: StagePlan): string {
  const wanted = (['email', 'phone'] as const).filter((type) => formsOf(type, plan).length > 0);
  if (wanted.length === 0) return 'valid';
  const codes = plan.hashForms.map((form) => codeOf(form)).join(', ');
  const forms = wanted.map(
    (type) => `arrayFlatten(arrayMap(
      i -> arrayMap(f -> (f.1, f.2, toUInt8(1)), arrayFilter(f -> f.1 IN (${codes}), ${hashFormsSql(type, 'i.2')})),
      arrayFilter(i -> i.1 = ${codeOf(type)}, valid)))`,
  );
  return `arrayConcat(valid, ${forms.join(', ')})`;
}

function formsOf(type: IdentityType, plan: StagePlan): IdentityType[] {
  if (type !== 'email' && type !== 'phone') return [];
  return plan.hashForms.filter((form) => form.startsWith(`${type}_`));
}

/** A line with nothing in it is no record in a file of one column; elsewhere it is a rejected row. */
export function notBlank(plan: StagePlan): string {
  const columns = plan.mapping.columns.length + plan.mapping.attributes.length;
  return columns === 1 ? `trim(BOTH ' \\t\\r' FROM c1) != ''` : '1';
}
