import { ruleOf, type NormaliseOptions, type Part, type RejectReason } from '../identities/index.js';

/** Fields that the hub keeps as identities or as parts of them: the engine writes them as partners want them. */
export const STORED_FIELDS = [
  'email',
  'phone',
  'customer_id',
  'first_name',
  'last_name',
  'zip',
  'state',
] as const satisfies readonly Part[];

/** One of {@link STORED_FIELDS}. */
export type StoredField = (typeof STORED_FIELDS)[number];

/** Fields that partners take as well and files may hold; the hub keeps them as attributes. */
export const FILE_FIELDS = ['city', 'country', 'date_of_birth', 'gender', 'device_id'] as const;

/** One of {@link FILE_FIELDS}. */
export type FileField = (typeof FILE_FIELDS)[number];

/** A field that a normalisation profile may have a rule for. */
export type ProfileField = StoredField | FileField;

/** Why a partner's rules leave a value out, besides the reasons of the hub's own rules. */
export const LEFT_OUT_REASONS = {
  PHONE_NO_COUNTRY_CODE:
    'a phone number with + and country code, or a default region of the workspace: no country code is invented',
  PHONE_NOT_US: 'a US phone number of ten digits',
  EMAIL_LEFT_OUT: 'an address with something left before the @ once dots and suffix are dropped',
  NAME_LEFT_OUT: 'a name besides titles and suffixes',
  CITY_INVALID: 'a city with at least one letter or digit',
  COUNTRY_INVALID: 'a two-letter country code (ISO 3166-1 alpha-2)',
  DATE_INVALID: 'a date as YYYY-MM-DD or YYYYMMDD; other orders of day and month are not guessed',
  GENDER_INVALID: 'm, male, f or female',
  DEVICE_ID_INVALID: 'a mobile advertising id: 8-4-4-4-12 hexadecimal digits, not all zero',
} as const;

/** Why nothing is sent of a value. */
export type LeftOutReason = RejectReason | keyof typeof LEFT_OUT_REASONS;

/** A value as a partner wants it, before the encoding; '' where nothing is there, or where `reason` says why. */
export interface PartnerText {
  value: string;
  reason?: LeftOutReason;
}

/** A partner's rule for one field. */
export interface FieldRule {
  /** Whether the partner wants this field hashed. */
  hashed: boolean;
  /** Of the text of a file. Reading what was read gives the same. */
  read(raw: string, options?: NormaliseOptions): PartnerText;
}

/** A rule for a field that the hub keeps: the same for its normalised values, as a function and as SQL. */
export interface StoredRule extends FieldRule {
  /** @param value as the hub's own rule returns it; '' where nothing is to be sent. */
  apply(value: string): string;
  /** SQL twin of {@link apply}, over a String expression. */
  sql(value: string): string;
  /** Whether a value is sent with as many bytes as it has. */
  keepsLength: boolean;
}

/** What makes a stored rule besides the hub's own rule of the field. */
export interface StoredRuleParts {
  /** Default: true. */
  hashed?: boolean;
  /** Why `apply` leaves a value out; needed where it can. */
  leftOut?: LeftOutReason;
  /** The hub's reading of a text. Default: the hub's rule of the field. */
  readHub?: (raw: string, options: NormaliseOptions) => PartnerText;
  apply: (value: string) => string;
  sql: (value: string) => string;
  /** Default: false. */
  keepsLength?: boolean;
}

/** A rule that reads with the hub's own one first. */
export function storedRule(field: StoredField, parts: StoredRuleParts): StoredRule {
  const { hashed = true, leftOut, apply, sql, keepsLength = false } = parts;
  const readHub =
    parts.readHub ?? ((raw: string, options: NormaliseOptions) => ruleOf(field, options).apply(raw));
  return {
    hashed,
    apply,
    sql,
    keepsLength,
    read(raw, options = {}) {
      const { value, reason } = readHub(raw, options);
      if (value === '') return reason === undefined ? { value } : { value, reason };
      const text = apply(value);
      return text === '' && leftOut !== undefined ? { value: '', reason: leftOut } : { value: text };
    },
  };
}

/** The hub's own value, unchanged. */
export function asItIs(field: StoredField, hashed = true): StoredRule {
  return storedRule(field, { hashed, apply: (value) => value, sql: (value) => value, keepsLength: true });
}
