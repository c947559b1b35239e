import type { IdentityEncoding, IdentityForm, NormalisationProfile } from '../../kit/index.js';
import { IDENTITY_PARTS, type NormaliseOptions, type Part } from '../identities/index.js';
import { trimmed } from '../identities/text.js';
import { letSql } from '../sql-text.js';
import {
  AS_TEXT,
  digestBytesOf,
  encode,
  encodeOnceSql,
  isHashed,
  passOn,
  type HexEncoding,
  type Writing,
} from './encode.js';
import { isPackable, PACKED } from './pack.js';
import { STORED_FIELDS, type PartnerText, type ProfileField, type StoredField } from './partner-rule.js';
import { profileRule, rulesOf } from './profiles.js';

/** Parts of a combination are joined by it, at the hub as at partners; no part holds it. */
const SEPARATOR = '|';

/**
 * Parts of which thousands of people have the same: the engine hashes each value of a block once, which costs a third less
 * than hashing every row's. Of values that are mostly different it would cost more.
 */
const SHARED_BY_MANY: ReadonlySet<Part> = new Set<Part>(['first_name', 'zip', 'state']);

/** A form with a profile. */
export type ProfiledForm = IdentityForm & { profile: NormalisationProfile };

/** What a partner gets of a text in a file. */
export interface PartnerReading extends PartnerText {
  /** As it is sent: encoded, where the partner wants the field hashed; '' where nothing is sent. */
  sent: string;
}

/** True where the form names a profile. */
export function isProfiled(form: IdentityForm): form is ProfiledForm {
  return form.profile !== undefined;
}

/**
 * What is sent of the text of a file under a profile; undefined where the partner does not take the field. A text that
 * is such a hash already passes through untouched, an empty one is never hashed.
 */
export function readForPartner(
  profile: NormalisationProfile,
  field: ProfileField,
  raw: string,
  encoding: IdentityEncoding,
  options: NormaliseOptions = {},
): PartnerReading | undefined {
  const rule = profileRule(profile, field);
  if (rule === undefined) return undefined;
  const used = rule.hashed ? encoding : 'raw';
  const text = trimmed(raw);
  if (text === '') return { value: '', sent: '' };
  if (isHashed(used, text)) return { value: text, sent: passOn(used, text) };
  const read = rule.read(raw, options);
  return { ...read, sent: encode(used, read.value) };
}

/**
 * What the engine sends of an identity, as a function: a value of the hub in the form. '' where the profile leaves it
 * out. Of a combination, parts that the partner does not take stay empty.
 *
 * @param value as the hub keeps it
 */
export function partnerValue({ type, encoding, profile }: ProfiledForm, value: string): string {
  const parts = IDENTITY_PARTS[type];
  const values = parts.length === 1 ? [value] : value.split(SEPARATOR);
  const sent = parts.map((part, index) => sendPart(profile, part, encoding, values[index] ?? ''));
  return sent.some((one) => one === '') ? '' : sent.map((one) => one ?? '').join(SEPARATOR);
}

/** SQL twin of {@link partnerValue}, over a String expression; packed only where {@link isPackable} allows it. */
export function partnerValueSql(form: ProfiledForm, valueSql: string, writing = AS_TEXT): string {
  if (writing === PACKED && !isPackable(form)) {
    throw new Error(`Values in ${form.encoding} cannot be packed.`);
  }
  const { type, encoding, profile } = form;
  const [part, ...more] = IDENTITY_PARTS[type];
  if (more.length === 0) return sendPartSql(profile, part, encoding, valueSql, writing) ?? "''";
  const oneByOne = joinedSql(form, valueSql, writing);
  const texts = hashedTextsOf(form, valueSql);
  if (!isPackable(form) || texts === undefined) return oneByOne;
  const all = writing.all(form.encoding, texts, SEPARATOR);
  // The engine goes the long way for those rows only that need it.
  return `if(${needsCareSql(form.encoding, valueSql, texts.length)}, ${oneByOne}, ${all})`;
}

/** The texts of a combination's parts, where the partner takes each of them hashed, and as long as it is. */
function hashedTextsOf({ type, profile }: ProfiledForm, valueSql: string): string[] | undefined {
  const texts = IDENTITY_PARTS[type].flatMap((part, index) => {
    const rule = storedRuleOf(profile, part);
    if (!rule?.hashed || !rule.keepsLength) return [];
    const text = rule.sql(`splitByChar('${SEPARATOR}', ${valueSql})[${index + 1}]`);
    return [SHARED_BY_MANY.has(part) ? `toLowCardinality(${text})` : text];
  });
  return texts.length === IDENTITY_PARTS[type].length ? texts : undefined;
}

/**
 * Condition that a part of a combination may be '' or hashed already. It looks at the value as a whole, which costs a
 * tenth of looking at each part, and so names some rows too many.
 */
function needsCareSql(encoding: HexEncoding, valueSql: string, parts: number): string {
  const separators = parts - 1;
  const mayHoldHash = `length(${valueSql}) >= ${2 * digestBytesOf(encoding) + separators}`;
  const hasOthers = `countSubstrings(${valueSql}, '${SEPARATOR}') != ${separators}`;
  const around = `concat('${SEPARATOR}', ${valueSql}, '${SEPARATOR}')`;
  return `${mayHoldHash} OR ${hasOthers} OR position(${around}, '${SEPARATOR}${SEPARATOR}') > 0`;
}

function joinedSql({ type, encoding, profile }: ProfiledForm, valueSql: string, { front }: Writing): string {
  const parts = IDENTITY_PARTS[type];
  const sent = parts.map((part, index) =>
    sendPartSql(profile, part, encoding, `hub_parts[${index + 1}]`, AS_TEXT),
  );
  const names = sent.flatMap((sql, index) => (sql === undefined ? [] : [`hub_sent${index}`]));
  const bound = Object.fromEntries(
    sent.flatMap((sql, index) => (sql === undefined ? [] : [[`hub_sent${index}`, sql]])),
  ) as Record<`hub_${string}`, string>;
  const joined = sent.map((sql, index) => (sql === undefined ? "''" : `hub_sent${index}`));
  const missing = names.map((name) => `${name} = ''`).join(' OR ');
  const written = [...front, joined.join(`, '${SEPARATOR}', `)].join(', ');
  const body = letSql(bound, `if(${missing}, '', concat(${written}))`);
  return letSql({ hub_parts: `splitByChar('${SEPARATOR}', ${valueSql})` }, body);
}

/** Why a form cannot be sent; undefined where it can. */
export function problemOfForm(form: IdentityForm): string | undefined {
  if (!isProfiled(form)) return undefined;
  const parts = IDENTITY_PARTS[form.type];
  if (parts.some((part) => storedRuleOf(form.profile, part) !== undefined)) return undefined;
  return `the profile ${form.profile} has no rule for ${form.type}`;
}

function storedRuleOf(profile: NormalisationProfile, part: Part | undefined) {
  return part !== undefined && isStored(part) ? rulesOf(profile)[part] : undefined;
}

function isStored(part: Part): part is StoredField {
  return (STORED_FIELDS as readonly Part[]).includes(part);
}

/** undefined where the partner does not take the part. */
function sendPart(
  profile: NormalisationProfile,
  part: Part,
  encoding: IdentityEncoding,
  value: string,
): string | undefined {
  const rule = storedRuleOf(profile, part);
  if (rule === undefined) return undefined;
  const used = rule.hashed ? encoding : 'raw';
  const text = rule.apply(value);
  return isHashed(used, text) && mayBeHashed(part) ? passOn(used, text) : encode(used, text);
}

function sendPartSql(
  profile: NormalisationProfile,
  part: Part | undefined,
  encoding: IdentityEncoding,
  valueSql: string,
  writing: Writing,
): string | undefined {
  const rule = storedRuleOf(profile, part);
  if (rule === undefined || part === undefined) return undefined;
  return encodeOnceSql(rule.hashed ? encoding : 'raw', rule.sql(valueSql), mayBeHashed(part), writing);
}

/** E-mail and phone that came in hashed are identities of other types. */
function mayBeHashed(part: Part): boolean {
  return part !== 'email' && part !== 'phone';
}
