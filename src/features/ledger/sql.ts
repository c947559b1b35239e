import { bareIdSql, isPartnered } from '../../domain/identities/data-partners.js';
import { codeOf } from '../../domain/identities/identity-codes.js';
import {
  AS_TEXT,
  isPackable,
  isProfiled,
  PACKED,
  partnerValueSql,
  type Writing,
} from '../../domain/normalisation/index.js';
import type { IdentityForm, IdentityType } from '../../kit/index.js';

/**
 * The ledger's queries. All of them read in the order of the table's key, so memory stays flat whatever the
 * size of the audience; run them with {@link IN_ORDER}.
 */
export const IN_ORDER = {
  optimize_aggregation_in_order: 1,
  optimize_read_in_order: 1,
  // What a stream gathers before it hands groups on. Of the engine's own 50 MB, several streams fill half a gigabyte, and take
  // twice as long.
  aggregation_in_order_max_block_bytes: 4_000_000,
} as const;

/**
 * One thread, which has everything in the order of the tables' keys: nothing is sorted. A page is too small for the engine
 * to part it, hashes or not, and threads that only write the bytes would take the processor from whoever sends.
 */
export const ROWS_SETTINGS = { ...IN_ORDER, max_threads: 1, output_format_parallel_formatting: 0 } as const;

/** Both sides sorted by mpid: merge them instead of building a hash table. */
export const MERGED = { ...IN_ORDER, join_algorithm: 'full_sorting_merge' } as const;

/** A set of mpids is narrowed by this condition over the column `mpid` (a variant of the audience); '1' = all. */
export type MpidCondition = string;

/** `SELECT mpid` of the members at `version`. */
export function membersSql(audienceId: number, version: number, condition: MpidCondition = '1'): string {
  return `SELECT mpid FROM ledger WHERE audience_id = ${audienceId} AND version <= ${version} AND ${condition}
    GROUP BY mpid HAVING argMax(sign, version) = 1`;
}

/** Sum (as text) over changes, by which two sets of them are told apart that are equally many. */
export function changesCheckSql(mpidSql: string, signSql: string, condition = '1'): string {
  return `toString(sumIf(cityHash64(toInt64(${mpidSql}), toInt8(${signSql})), ${condition}))`;
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
    WHERE ${betweenSql(audienceId, range)} AND ${condition}
    GROUP BY mpid HAVING argMin(sign, version) = ${sign} AND argMax(sign, version) = ${sign}`;
}

/** The rows of the ledger that were written after one version and up to another. */
export function betweenSql(audienceId: number, { from, to }: { from: number; to: number }): string {
  return `audience_id = ${audienceId} AND version > ${from} AND version <= ${to}`;
}

/** Expression (Array(UInt8)) over the column `type`: the places in `forms` that an identity of this type goes to. */
export function formsOfTypeSql(forms: readonly IdentityForm[]): string {
  const branches = [...new Set(codesOf(forms))].map((code) => {
    const places = forms.flatMap((form, place) =>
      codesOf([form]).includes(code) ? [`toUInt8(${place})`] : [],
    );
    return `type = ${code}, [${places.join(', ')}]`;
  });
  return branches.length === 0
    ? 'emptyArrayUInt8()'
    : `multiIf(${[...branches, 'emptyArrayUInt8()'].join(', ')})`;
}

/**
 * Expression (String) over `type`, `value` and, unless they {@link goToOneEach}, `form`, the place in `forms`: the value
 * as that form has it; '' where a normalisation profile leaves it out ({@link mayLeaveOut}).
 */
export function formValueSql(forms: readonly IdentityForm[]): string {
  return valueSql(forms, () => AS_TEXT, new Set());
}

/**
 * The same, packed where the form allows it: see `packed-value.ts` of `domain/members`.
 *
 * @param absent codes of types that nobody has: they cost nothing then
 */
export function packedValueSql(forms: readonly IdentityForm[], absent: ReadonlySet<number>): string {
  return valueSql(forms, (form) => (isPackable(form) ? PACKED : AS_TEXT), absent);
}

/** Whether every type goes to one of the forms only, so that the type tells the place. */
export function goToOneEach(forms: readonly IdentityForm[]): boolean {
  const codes = codesOf(forms);
  return new Set(codes).size === codes.length;
}

function valueSql(
  forms: readonly IdentityForm[],
  writingOf: (form: IdentityForm) => Writing,
  absent: ReadonlySet<number>,
): string {
  const typeTells = goToOneEach(forms);
  const isAt = (place: number) => (typeTells ? '' : `form = ${place} AND `);
  const branches = forms.flatMap((form, place) => {
    const writing = writingOf(form);
    const hashed = hashedType(form);
    const written = [
      { code: codeOf(form.type), as: writtenSql(form, writing) },
      // What came in hashed already passes through as it is.
      ...(hashed === undefined
        ? []
        : [{ code: codeOf(hashed), as: writing.passedOn(form.encoding, 'value') }]),
    ];
    return written
      .filter(({ code, as }) => as !== 'value' && !absent.has(code))
      .map(({ code, as }) => `${isAt(place)}type = ${code}, ${as}`);
  });
  return branches.length === 0 ? 'value' : `multiIf(${[...branches, 'value'].join(', ')})`;
}

/** Whether {@link formValueSql} of these forms is '' for some values, which are not to be sent then. */
export function mayLeaveOut(forms: readonly IdentityForm[]): boolean {
  return forms.some(isProfiled);
}

/** What is written of an identity of the form's own type; of ids of data partners, the bare id. */
function writtenSql(form: IdentityForm, writing: Writing): string {
  const value = isPartnered(form.type) ? bareIdSql(String(codeOf(form.type)), 'value') : 'value';
  return isProfiled(form) ? partnerValueSql(form, value, writing) : writing.encoded(form.encoding, value);
}

/** Codes of the stored types that the forms need. */
export function codesOf(forms: readonly IdentityForm[]): number[] {
  return forms.flatMap((form) => {
    const own = hashedType(form);
    return own === undefined ? [codeOf(form.type)] : [codeOf(form.type), codeOf(own)];
  });
}

/** The identity type under which values that came in hashed are stored. */
function hashedType(form: IdentityForm): IdentityType | undefined {
  if (form.encoding === 'raw') return undefined;
  const algorithm = form.encoding === 'sha256_base64' ? 'sha256' : form.encoding;
  if (form.type === 'email' || form.type === 'phone') return `${form.type}_${algorithm}`;
  return undefined;
}
