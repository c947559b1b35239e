import { codeOf } from '../../domain/identities/identity-codes.js';
import type { IdentityForm, IdentityType } from '../../kit/index.js';

/**
 * The ledger's queries. All of them read in the order of the table's key, so memory stays flat whatever the
 * size of the audience; run them with {@link IN_ORDER}.
 */
export const IN_ORDER = { optimize_aggregation_in_order: 1, optimize_read_in_order: 1 } as const;

/** Both sides sorted by mpid: merge them instead of building a hash table. */
export const MERGED = { ...IN_ORDER, join_algorithm: 'full_sorting_merge' } as const;

/** A set of mpids is narrowed by this condition over the column `mpid` (a variant of the audience); '1' = all. */
export type MpidCondition = string;

/** `SELECT mpid` of the members at `version`. */
export function membersSql(audienceId: number, version: number, condition: MpidCondition = '1'): string {
  return `SELECT mpid FROM ledger WHERE audience_id = ${audienceId} AND version <= ${version} AND ${condition}
    GROUP BY mpid HAVING argMax(sign, version) = 1`;
}

/**
 * `SELECT mpid` of those whose state differs between two versions. Every ledger row changes a state, so the
 * first row after `from` says what the state was, and the last one up to `to` what it became.
 */
export function changesSql(
  audienceId: number,
  range: { from: number; to: number },
  operation: 'add' | 'remove',
  condition: MpidCondition = '1',
): string {
  const sign = operation === 'add' ? 1 : -1;
  return `SELECT mpid FROM ledger
    WHERE audience_id = ${audienceId} AND version > ${range.from} AND version <= ${range.to} AND ${condition}
    GROUP BY mpid HAVING argMin(sign, version) = ${sign} AND argMax(sign, version) = ${sign}`;
}

/** Column expression (Array(String)) of the values of one identity form over `profiles` grouped by mpid. */
export function formSql(form: IdentityForm): string {
  const raw = `type = ${codeOf(form.type)}`;
  if (form.encoding === 'raw') return `arraySort(groupUniqArrayIf(value, ${raw}))`;
  const encoded = `lower(hex(${HASHES[form.encoding]}(value)))`;
  const own = hashedType(form);
  // What came in hashed already passes through as it is.
  const value = own === undefined ? encoded : `if(type = ${codeOf(own)}, value, ${encoded})`;
  const condition = own === undefined ? raw : `${raw} OR type = ${codeOf(own)}`;
  return `arraySort(groupUniqArrayIf(${value}, ${condition}))`;
}

/** Codes of the stored types that the forms need. */
export function codesOf(forms: readonly IdentityForm[]): number[] {
  return forms.flatMap((form) => {
    const own = hashedType(form);
    return own === undefined ? [codeOf(form.type)] : [codeOf(form.type), codeOf(own)];
  });
}

const HASHES = { md5: 'MD5', sha1: 'SHA1', sha256: 'SHA256' } as const;

/** The identity type under which values that came in hashed are stored. */
function hashedType(form: IdentityForm): IdentityType | undefined {
  if (form.encoding === 'raw') return undefined;
  if (form.type === 'email' || form.type === 'phone') return `${form.type}_${form.encoding}`;
  return undefined;
}
