import { isPartnered } from '../../domain/identities/data-partners.js';
import { isProfiled } from '../../domain/normalisation/index.js';
import type { IdentityForm, IdentityType } from '../../kit/index.js';
import type { Warehouse } from '../../platform/warehouse/index.js';
import { nextRange } from './ledger-range.js';
import { reachedSql, type KeptMembers } from './reached.js';
import { selectSql, type AudienceKey, type Selection } from './selections.js';
import { codesOf, formsOfTypeSql, formValueSql, IN_ORDER, type MpidCondition } from './sql.js';

/** A value, as it is sent, of somebody who leaves, that somebody who is there has as well. */
export interface SharedValue {
  mpid: string;
  type: IdentityType;
  value: string;
}

/** Who leaves, and who is there then. */
export interface ValueRequest {
  key: AudienceKey;
  leavers: Selection;
  /** Which of the audience's are meant, both of those who leave and of those who are there. */
  condition: MpidCondition;
  /** Those who are there; each list at its versions. */
  there: readonly KeptMembers[];
  /** See {@link formsThatMeet}. */
  forms: readonly IdentityForm[];
}

export interface ValuePage {
  values: SharedValue[];
  /** Last mpid that was looked at; null: all were. */
  upTo: string | null;
}

/** Where to look, and at how many rows of the ledger. */
export interface ValueWindow {
  after: string | null;
  limit: number;
  /** Up to how many who are there are looked up one by one. */
  few?: number;
}

/**
 * Rows of the ledger whose leavers' values are looked for together. Each look reads the values of all who are there, so
 * it is to be worth it; what it finds is in memory.
 */
export const LEAVERS_AT_ONCE = 200_000;

/** So many that looking up their identities one by one is quicker than reading those of the whole workspace. */
const FEW = 1_000_000;

/**
 * Those of the forms in which two profiles may have one value. As it is stored an identity is one profile's; rules of a
 * partner make one of two addresses, a hash may be known beside its address, and data partners may use one number.
 */
export function formsThatMeet(forms: readonly IdentityForm[]): IdentityForm[] {
  const meets = (form: IdentityForm) =>
    isProfiled(form) || isPartnered(form.type) || codesOf([form]).length > 1;
  const meeting = new Set(forms.filter(meets).map(familyOf));
  return forms.filter((form) => meeting.has(familyOf(form)));
}

/** Of the leavers with the next `limit` rows of the ledger, the values that somebody who is there has as well. */
export async function sharedValues(
  warehouse: Warehouse,
  request: ValueRequest,
  { few = FEW, ...page }: ValueWindow,
): Promise<ValuePage> {
  const { forms } = request;
  const found = await lookAt(warehouse, request, page, few);
  if (found === undefined) return { values: [], upTo: null };
  const rows = await warehouse.query<{ mpid: string; form: number; value: string }>(
    `SELECT toString(mpid) AS mpid, form, out AS value FROM (${found.own}) AS l
     WHERE (family, out) IN (${found.shared}) ORDER BY l.mpid, form, out`,
    { settings: IN_ORDER, lane: 'bulk' },
  );
  const values = rows.flatMap(({ mpid, form, value }) => {
    const type = forms[form]?.type;
    return type === undefined ? [] : [{ mpid, type, value }];
  });
  return { values, upTo: found.upTo };
}

/** How many of the leavers have values, all of which somebody who is there has as well. */
export async function countWhollyShared(warehouse: Warehouse, request: ValueRequest): Promise<number> {
  let count = 0;
  for (let after: string | null = null; ;) {
    const found = await lookAt(warehouse, request, { after, limit: LEAVERS_AT_ONCE }, FEW);
    if (found === undefined) return count;
    const [row] = await warehouse.query<{ n: string }>(
      `SELECT count() AS n FROM (
         SELECT mpid, min((family, out) IN (${found.shared})) AS all FROM (${found.own}) GROUP BY mpid)
       WHERE all = 1`,
      { settings: IN_ORDER, lane: 'bulk' },
    );
    count += Number(row?.n ?? 0);
    if (found.upTo === null) return count;
    after = found.upTo;
  }
}

/** The leavers' values, those of them that somebody has who is there, and where the next window begins. */
async function lookAt(
  warehouse: Warehouse,
  { key, leavers, condition, there, forms }: ValueRequest,
  page: Pick<ValueWindow, 'after' | 'limit'>,
  few: number,
): Promise<{ own: string; shared: string; upTo: string | null } | undefined> {
  if (forms.length === 0 || there.length === 0) return undefined;
  const range = await nextRange(warehouse, key, leavers, page);
  if (range === undefined) return undefined;
  const { inside, next } = range;
  const leaving = `${inside} AND mpid IN (${selectSql(key, leavers, `${inside} AND ${condition}`)})`;
  const own = valuesSql(key.workspace, forms, leaving);
  const holders = there
    .map((one) => reachedSql(one.audienceId, one.versions, one.condition))
    .join(' UNION ALL ');
  const among = (await areAtMost(warehouse, holders, few)) ? `mpid IN (${holders})` : '1';
  // The few values that meet are held in memory, not all who are there.
  const shared = `SELECT k.family, k.out FROM (${holders}) AS m INNER JOIN (
      SELECT mpid, family, out FROM (${valuesSql(key.workspace, forms, among)})
      WHERE (family, out) IN (SELECT family, out FROM (${own}))
    ) AS k ON m.mpid = k.mpid`;
  return { own, shared, upTo: next };
}

/** `SELECT mpid, form, family, out` of the identities where the condition holds, as they are sent. */
function valuesSql(workspace: number, forms: readonly IdentityForm[], condition: MpidCondition): string {
  const names = [...new Set(forms.map(familyOf))];
  const families = forms.map((form) => names.indexOf(familyOf(form)));
  return `SELECT mpid, form, [${families.join(', ')}][form + 1] AS family, out FROM (
      SELECT mpid, arrayJoin(${formsOfTypeSql(forms)}) AS form, ${formValueSql(forms)} AS out FROM profiles
      WHERE workspace = ${workspace} AND type IN (${codesOf(forms).join(', ')}) AND ${condition})
    WHERE out != ''`;
}

/** A hash is the same value whatever type it is declared as. */
function familyOf({ type }: IdentityForm): string {
  return type.replace(/_(?:md5|sha1|sha256)$/, '');
}

async function areAtMost(warehouse: Warehouse, members: string, limit: number): Promise<boolean> {
  const [row] = await warehouse.query<{ n: string }>(
    `SELECT count() AS n FROM (SELECT mpid FROM (${members}) LIMIT ${limit + 1})`,
    { settings: IN_ORDER, lane: 'bulk' },
  );
  return Number(row?.n ?? 0) <= limit;
}
