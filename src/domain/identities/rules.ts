import type { IdentityType } from '../../kit/index.js';
import { letSql } from '../sql-text.js';
import { addressRule } from './address.js';
import { withoutCellErrors } from './cell-errors.js';
import { customerIdRule } from './customer-id.js';
import { emailRule } from './email.js';
import { hashRule } from './hashed-value.js';
import { NOTHING, type Normalised, type Rule } from './normalised.js';
import { npiRule } from './npi.js';
import { personNameRule } from './person-name.js';
import { phoneRule } from './phone.js';
import { stateRule } from './state.js';
import { voterIdRule } from './voter-id.js';
import { zipRule } from './zip.js';

/** The fields of a row that identities are made of. */
export const PARTS = [
  'customer_id',
  'voter_id',
  'npi',
  'email',
  'email_sha256',
  'email_sha1',
  'email_md5',
  'email_sha512',
  'phone',
  'phone_sha256',
  'phone_sha1',
  'phone_md5',
  'phone_sha512',
  'full_address',
  'first_name',
  'last_name',
  'street',
  'zip',
  'state',
] as const;

/** One of {@link PARTS}. */
export type Part = (typeof PARTS)[number];

/** Which parts an identity is made of, in the order of its value. */
export const IDENTITY_PARTS: Readonly<Record<IdentityType, readonly Part[]>> = {
  customer_id: ['customer_id'],
  voter_id: ['voter_id'],
  npi: ['npi'],
  email: ['email'],
  email_sha256: ['email_sha256'],
  email_sha1: ['email_sha1'],
  email_md5: ['email_md5'],
  email_sha512: ['email_sha512'],
  phone: ['phone'],
  phone_sha256: ['phone_sha256'],
  phone_sha1: ['phone_sha1'],
  phone_md5: ['phone_md5'],
  phone_sha512: ['phone_sha512'],
  full_address: ['full_address'],
  first_last_zip_state: ['first_name', 'last_name', 'zip', 'state'],
  last_street_zip_state: ['last_name', 'street', 'zip', 'state'],
  street_zip_state: ['street', 'zip', 'state'],
};

/** What a workspace adds to the rules. */
export interface NormaliseOptions {
  /** ISO 3166 alpha-2 of national phone numbers without country code. */
  defaultRegion?: string;
  /** Whose the voter ids or NPIs of a column are, see `data-partners.ts`; undefined: as they are. */
  partner?: string;
}

/** String expressions of one identity: normalised value and reject reason, each '' where there is none. */
export interface NormalisedSql {
  value: string;
  reason: string;
}

/** Joins the parts of a combination; no normalised part holds it. */
const SEPARATOR = '|';

const FIXED_RULES: Readonly<Record<Exclude<Part, 'phone' | 'voter_id' | 'npi'>, Rule>> = {
  customer_id: customerIdRule,
  email: emailRule,
  email_sha256: hashRule('sha256'),
  email_sha1: hashRule('sha1'),
  email_md5: hashRule('md5'),
  email_sha512: hashRule('sha512'),
  phone_sha256: hashRule('sha256'),
  phone_sha1: hashRule('sha1'),
  phone_md5: hashRule('md5'),
  phone_sha512: hashRule('sha512'),
  full_address: addressRule,
  first_name: personNameRule,
  last_name: personNameRule,
  street: addressRule,
  zip: zipRule,
  state: stateRule,
};

/** The rule of one part. Throws RangeError for a default region without a numbering plan. */
export function ruleOf(part: Part, options: NormaliseOptions = {}): Rule {
  return withoutCellErrors(plainRuleOf(part, options));
}

function plainRuleOf(part: Part, { defaultRegion, partner }: NormaliseOptions): Rule {
  if (part === 'phone') return phoneRule(defaultRegion);
  if (part === 'voter_id') return voterIdRule(partner);
  return part === 'npi' ? npiRule(partner) : FIXED_RULES[part];
}

/**
 * Normalises one identity from its raw parts, in the order of {@link IDENTITY_PARTS}.
 *
 * A combination is invalid where one of its parts is, and nothing where one is missing; a part that is there and
 * wrong counts before one that is missing, so that mistakes in the data are seen.
 */
export function normalise(
  type: IdentityType,
  rawParts: readonly string[],
  options: NormaliseOptions = {},
): Normalised {
  const parts = IDENTITY_PARTS[type].map((part, index) => ruleOf(part, options).apply(rawParts[index] ?? ''));
  const invalid = parts.find((part) => part.reason !== undefined);
  if (invalid !== undefined) return invalid;
  if (parts.some((part) => part.value === '')) return NOTHING;
  return { value: parts.map((part) => part.value).join(SEPARATOR) };
}

/**
 * SQL twin of {@link normalise}, over String expressions of the raw parts.
 *
 * `reason` does the work of `value` once more: wrap it in `if(value = '', reason, '')`, so that it is computed for
 * the few rows without a value only.
 */
export function normaliseSql(
  type: IdentityType,
  rawParts: readonly string[],
  options: NormaliseOptions = {},
): NormalisedSql {
  const parts = IDENTITY_PARTS[type].map((part, index) => {
    const rule = ruleOf(part, options);
    const raw = rawParts[index] ?? "''";
    return { value: rule.valueSql(raw), reason: rule.reasonSql(raw) };
  });
  const [first] = parts;
  if (first !== undefined && parts.length === 1) return first;
  const reasons = parts.map((part) => part.reason);
  const firstReason = `arrayFirst(hub_reason -> hub_reason != '', [${reasons.join(', ')}])`;
  const value = combineSql(parts.map((part) => part.value));
  return { value, reason: firstReason };
}

/**
 * SQL of a combination's value over expressions of its normalised parts, in the order of {@link IDENTITY_PARTS};
 * '' where one is ''. A row with several combinations normalises each part once ({@link ruleOf}) and combines
 * the results.
 */
export function combineSql(partValues: readonly string[]): string {
  const bindings = Object.fromEntries(partValues.map((value, index) => [`hub_part${index}`, value]));
  const names = Object.keys(bindings);
  const missing = names.map((name) => `${name} = ''`).join(' OR ');
  return letSql(bindings, `if(${missing}, '', concat(${names.join(`, '${SEPARATOR}', `)}))`);
}
