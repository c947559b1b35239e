import { codeOf, hashFormsSql, identityHashSql } from '../../../domain/identities/index.js';
import type { IdentityType } from '../../../kit/index.js';
import type { Warehouse } from '../../../platform/warehouse/index.js';

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
  forms: readonly IdentityType[],
): Promise<void> {
  for (const raw of ['email', 'phone'] as const) {
    const codes = forms.filter((form) => form.startsWith(`${raw}_`)).map((form) => codeOf(form));
    if (codes.length === 0) continue;
    await warehouse.command(
      `INSERT INTO identities
       SELECT ${workspace}, f.1 AS t, ${identityHashSql({ codeSql: 'f.1' }, 'f.2')} AS h, f.2, mpid
       FROM (
         SELECT mpid, arrayJoin(arrayFilter(x -> x.1 IN (${codes.join(', ')}), ${hashFormsSql(raw, 'value')})) AS f
         FROM identities WHERE workspace = ${workspace} AND type = ${codeOf(raw)}
       )
       WHERE (t, h) NOT IN (
         SELECT type, hash FROM identities WHERE workspace = ${workspace} AND type IN (${codes.join(', ')}))`,
      { lane: 'bulk' },
    );
  }
}
