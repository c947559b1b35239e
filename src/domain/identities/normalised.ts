/** Why a value that is there cannot be used, and what was expected instead. Codes are stable. */
export const REJECT_REASONS = {
  CELL_ERROR:
    'a value; a spreadsheet has put an error such as #N/A in its place, or a formula without a result',
  CUSTOMER_ID_TOO_LONG: 'an id of at most 255 bytes',
  CUSTOMER_ID_NUL: 'an id without NUL bytes',
  EMAIL_INVALID: 'an e-mail address such as name@example.com',
  PHONE_INVALID: 'a phone number of 7 to 15 digits, best with + and country code',
  PHONE_AMBIGUOUS: 'a phone number with + and country code: without it this one can be read in two ways',
  VOTER_ID_INVALID: 'LAL, two letters and digits, or 3 to 64 letters, digits and hyphens',
  NPI_INVALID: 'ten digits starting with 1 or 2',
  NPI_CHECK_DIGIT: 'an NPI with a right check digit',
  HASH_INVALID: 'a hexadecimal hash: 32 digits for MD5, 40 for SHA-1, 64 for SHA-256, 128 for SHA-512',
  HASH_OF_NOTHING: 'the hash of a value; this is the hash of an empty text',
  NAME_INVALID: 'a name with at least one letter or digit, at most 255 bytes',
  ADDRESS_INVALID: 'an address with at least one letter or digit, at most 255 bytes',
  STATE_UNKNOWN: 'a US state or territory, by name or two-letter code',
  ZIP_INVALID: 'a ZIP code: five digits or ZIP+4',
} as const;

/** One of {@link REJECT_REASONS}. */
export type RejectReason = keyof typeof REJECT_REASONS;

/** '' in `value` = nothing there; `reason` set = there, but invalid (and `value` is ''). */
export interface Normalised {
  value: string;
  reason?: RejectReason;
}

/**
 * One normaliser, twice: as a function for single values and as SQL for millions. The two agree on every
 * text (property tests hold them to it).
 */
export interface Rule {
  apply(raw: string): Normalised;
  /** String expression of the normalised value; '' where nothing is there or it is invalid. */
  valueSql(raw: string): string;
  /** String expression of the {@link RejectReason}; '' where the value is valid or nothing is there. */
  reasonSql(raw: string): string;
}

export const NOTHING: Normalised = Object.freeze({ value: '' });

export function accept(value: string): Normalised {
  return { value };
}

export function reject(reason: RejectReason): Normalised {
  return { value: '', reason };
}

/** Reason SQL of a rule with one reason: something is there, and no value came of it. */
export function onlyReasonSql(reason: RejectReason, presentSql: string, valueSql: string): string {
  return `if(${presentSql} != '' AND ${valueSql} = '', '${reason}', '')`;
}
