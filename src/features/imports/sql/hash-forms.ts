import { codeOf, hashFormsSql, identityHashSql } from '../../../domain/identities/index.js';
import type { IdentityType } from '../../../kit/index.js';
import type { Warehouse } from '../../../platform/warehouse/index.js';
import { MERGING } from './tables.js';

/** Hash forms are kept only where a workspace has met a hashed file: they are four times the rows. */
export function hashFormsIn(types: readonly IdentityType[]): IdentityType[] {
  return types.filter((type) => /^(email|phone)_/.test(type));
}

/**
 * Makes every raw e-mail and phone of the workspace findable by the given forms. Run twice, it writes only
 * what is missing.
 */
export async function backfillHashForms(
  warehouse: Warehouse,
  workspace: number,
  wanted: readonly IdentityType[],
): Promise<void> {
  for (const raw of ['email', 'phone'] as const) {
    const codes = wanted.filter((form) => form.startsWith(`${raw}_`)).map((form) => codeOf(form));
    if (codes.length === 0) continue;
    const forms = `SELECT f.1 AS type, ${identityHashSql({ codeSql: 'f.1' }, 'f.2')} AS hash, f.2 AS value, mpid
      FROM (
        SELECT mpid, arrayJoin(arrayFilter(x -> x.1 IN (${codes.join(', ')}), ${hashFormsSql(raw, 'value')})) AS f
        FROM identities WHERE workspace = ${workspace} AND type = ${codeOf(raw)}
      )`;
    const known = `FROM identities WHERE workspace = ${workspace} AND type IN (${codes.join(', ')})`;
    // Mostly nobody has one yet, and nothing has to be put in order to find those who have.
    const anyKnown = await warehouse.query(`SELECT 1 ${known} LIMIT 1`);
    const missing =
      anyKnown.length === 0
        ? forms
        : `SELECT n.type AS type, n.hash AS hash, n.value AS value, n.mpid AS mpid FROM (${forms}) AS n
           ANY LEFT JOIN (SELECT type, hash, toUInt8(1) AS known ${known}) AS i ON n.type = i.type AND n.hash = i.hash
           WHERE i.known = 0`;
    await warehouse.command(
      `INSERT INTO identities SELECT ${workspace}, type, hash, value, mpid FROM (${missing})`,
      MERGING,
    );
  }
}
