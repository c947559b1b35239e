import { codeOf, hashFormsSql, identityHashSql } from '../../domain/identities/index.js';

/**
 * SQL (UInt128) of the entry of an identity in `suppressions`: its hash, hashed again under the hub's key, and another
 * one in each workspace. Needs the parameters of {@link suppressionKey}.
 *
 * @param typeSql UInt8 expression of the type's code
 * @param hashSql UInt128 expression as `identityHashSql` makes it
 */
export function entrySql(workspace: number, typeSql: string, hashSql: string): string {
  return `reinterpretAsUInt128(sipHash128Keyed(({suppressionKey0:UInt64}, {suppressionKey1:UInt64}),
    toUInt32(${workspace}), toUInt8(${typeSql}), ${hashSql}))`;
}

/** `SELECT type, entry` of the suppressions of a workspace. */
export const entriesSql = (workspace: number): string =>
  `SELECT type, entry FROM suppressions WHERE workspace = ${workspace}`;

/** Raw types that have hash forms. */
const HASHED = ['email', 'phone'] as const;

/** Codes of the hash forms; those of one raw type have its tens. */
export const FORM_CODES = HASHED.flatMap((raw) =>
  (['sha256', 'sha1', 'md5', 'sha512'] as const).map((form) => codeOf(`${raw}_${form}`)),
);

/**
 * `SELECT type, hash, origin` of identities, and of every hash form of their raw e-mails and phones: `origin` is the hash
 * of the raw one, 0 of an identity itself. A person who is suppressed by one is to be found by the others.
 *
 * @param select `SELECT type, value`, normalised
 */
export function withFormsSql(select: string): string {
  const own = `SELECT type, ${identityHashSql({ codeSql: 'type' }, 'value')} AS hash, toUInt128(0) AS origin FROM (${select})`;
  return [own, ...HASHED.map((raw) => formsSql(raw, select))].join(' UNION ALL ');
}

/**
 * `SELECT type, hash, origin` of the hash forms of the raw e-mails or phones among identities.
 *
 * @param select `SELECT type, value`, normalised; its other columns in `also` come along
 */
export function formsSql(raw: (typeof HASHED)[number], select: string, also: readonly string[] = []): string {
  const more = also.map((column) => `, ${column}`).join('');
  return `SELECT form.1 AS type, ${identityHashSql({ codeSql: 'form.1' }, 'form.2')} AS hash, origin${more}
    FROM (
      SELECT ${identityHashSql(raw, 'value')} AS origin${more}, arrayJoin(${hashFormsSql(raw, 'value')}) AS form
      FROM (${select}) WHERE type = ${codeOf(raw)})`;
}
