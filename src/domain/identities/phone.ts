import { letSql } from '../sql-text.js';
import { accept, NOTHING, onlyReasonSql, reject, type Normalised, type Rule } from './normalised.js';
import { PHONE_REGIONS, type PhoneRegion } from './phone-regions.js';
import { BLANKS, SharedPattern, trimmed, trimmedSql } from './text.js';

/** Spreadsheets write whole numbers as 3456789012.0. */
const decimalNumber = new SharedPattern('^[+]?[0-9]+\\.0$');
const decimalZero = new SharedPattern('\\.0$');
const extension = new SharedPattern(
  `[${BLANKS},;]*(?:[xX]|[eE][xX][tT]\\.?|[eE][xX][tT][eE][nN][sS][iI][oO][nN])[${BLANKS}.:]*[0-9]{1,6}$`,
);
/** The trunk digit people show in international numbers: +44 (0)20 … */
const shownTrunk = new SharedPattern('\\(0\\)');
const phoneText = new SharedPattern(`^\\(?[+]?[0-9${BLANKS}()./\u2010-\u2015\u2212\u00b7-]+$`);
const international = new SharedPattern('^\\(?(?:[+]|00)');
const notDigits = new SharedPattern('[^0-9]+');
const zeroPrefix = new SharedPattern('^00');
/** E.164: at most 15 digits, no country code starts with 0, and North American numbers have ten after their 1. */
const e164Digits = new SharedPattern('^(?:1[0-9]{10}|[2-9][0-9]{6,14})$');
const nationalDigits = new SharedPattern('^[0-9]{7,15}$');
/** Fillers: one digit all along would make everybody who has no phone the same person. */
const filler = new SharedPattern('^(?:0+|1+|2+|3+|4+|5+|6+|7+|8+|9+)$');

/**
 * Phone numbers: `+` and digits (E.164) where the country code is written (`+`, `00`) or follows from the
 * workspace's default region; else the bare national digits, without `+`. A country code is never invented.
 *
 * @param region ISO 3166 alpha-2 of the workspace's default region; one of PHONE_REGIONS, else an error
 */
export function phoneRule(region?: string): Rule {
  const plan = region === undefined ? undefined : planOf(region);
  return {
    apply(raw) {
      const text = withoutTail(trimmed(raw));
      if (trimmed(raw) === '') return NOTHING;
      if (!phoneText.matches(text)) return reject('PHONE_INVALID');
      const isInternational = international.matches(text);
      const digits = notDigits.replaceAll(isInternational ? shownTrunk.replaceAll(text, '') : text, '');
      if (filler.matches(digits)) return reject('PHONE_INVALID');
      if (isInternational) return fromInternational(digits);
      return plan === undefined ? fromBare(digits) : fromNational(digits, plan);
    },
    valueSql(raw) {
      const national = plan === undefined ? fromBareSql('hub_digits') : fromNationalSql('hub_digits', plan);
      const number = `multiIf(${REFUSED}, '', hub_international, ${fromInternationalSql('hub_digits')}, ${national})`;
      return readSql(raw, number);
    },
    reasonSql(raw) {
      const invalid = onlyReasonSql('PHONE_INVALID', trimmedSql(raw), this.valueSql(raw));
      if (plan === undefined) return invalid;
      const { withTrunk, withoutCode, withCode } = readingsSql('hub_digits', plan);
      const ambiguous = `NOT (${REFUSED}) AND NOT hub_international AND NOT (${withTrunk}) AND ${withoutCode} AND ${withCode}`;
      return `if(${readSql(raw, ambiguous)}, 'PHONE_AMBIGUOUS', ${invalid})`;
    },
  };
}

/** Over the names that {@link readSql} binds. */
const REFUSED = `NOT ${phoneText.matchesSql('hub_text')} OR ${filler.matchesSql('hub_digits')}`;

/** Binds hub_text, hub_international and hub_digits for `body`. */
function readSql(raw: string, body: string): string {
  const isInternational = international.matchesSql('hub_text');
  const shown = `if(${isInternational}, ${shownTrunk.replaceAllSql('hub_text', '')}, hub_text)`;
  const digits = notDigits.replaceAllSql(shown, '');
  const withDigits = letSql({ hub_international: isInternational, hub_digits: digits }, body);
  const withText = letSql({ hub_text: withoutTailSql('hub_trimmed') }, withDigits);
  return letSql({ hub_trimmed: trimmedSql(raw) }, withText);
}

function planOf(region: string): PhoneRegion {
  const plan = PHONE_REGIONS.get(region);
  if (plan !== undefined) return plan;
  throw new RangeError(
    `No numbering plan for region "${region}". Use one of ${[...PHONE_REGIONS.keys()].join(', ')}.`,
  );
}

function withoutTail(text: string): string {
  return decimalNumber.matches(text) ? decimalZero.replaceAll(text, '') : extension.replaceAll(text, '');
}

function withoutTailSql(text: string): string {
  return `if(${decimalNumber.matchesSql(text)}, ${decimalZero.replaceAllSql(text, '')}, ${extension.replaceAllSql(text, '')})`;
}

function fromInternational(digits: string): Normalised {
  const number = zeroPrefix.replaceAll(digits, '');
  return e164Digits.matches(number) ? accept(`+${number}`) : reject('PHONE_INVALID');
}

function fromInternationalSql(digits: string): string {
  return e164Sql(zeroPrefix.replaceAllSql(digits, ''));
}

function fromBare(digits: string): Normalised {
  return nationalDigits.matches(digits) ? accept(digits) : reject('PHONE_INVALID');
}

function fromBareSql(digits: string): string {
  return `if(${nationalDigits.matchesSql(digits)}, ${digits}, '')`;
}

/** With the trunk prefix; else as dialled from abroad without `+`, or national with the prefix lost. */
function fromNational(digits: string, plan: PhoneRegion): Normalised {
  const { withTrunk, withoutCode, withCode } = readings(plan);
  if (plan.trunk !== '' && withTrunk.matches(digits)) {
    return checked(`${plan.callingCode}${digits.slice(plan.trunk.length)}`);
  }
  if (withoutCode.matches(digits) && withCode.matches(digits)) return reject('PHONE_AMBIGUOUS');
  if (withoutCode.matches(digits)) return checked(`${plan.callingCode}${digits}`);
  return withCode.matches(digits) ? checked(digits) : reject('PHONE_INVALID');
}

function checked(number: string): Normalised {
  return e164Digits.matches(number) ? accept(`+${number}`) : reject('PHONE_INVALID');
}

function fromNationalSql(digits: string, plan: PhoneRegion): string {
  const { withTrunk, withoutCode, withCode } = readingsSql(digits, plan);
  const code = plan.callingCode;
  const number = `multiIf(${withTrunk}, concat('${code}', substring(${digits}, ${plan.trunk.length + 1})), ${withoutCode} AND ${withCode}, '', ${withoutCode}, concat('${code}', ${digits}), ${withCode}, ${digits}, '')`;
  return e164Sql(number);
}

function e164Sql(number: string): string {
  const checkedNumber = `if(${e164Digits.matchesSql('hub_number')}, concat('+', hub_number), '')`;
  return letSql({ hub_number: number }, checkedNumber);
}

/** The ways digits without `+` can be read under a numbering plan. */
function readings({ callingCode, trunk, minDigits, maxDigits }: PhoneRegion) {
  const length = `{${minDigits},${maxDigits}}`;
  const leading = leadingDigits(trunk);
  const rest = `{${minDigits - 1},${maxDigits - 1}}`;
  return {
    withTrunk: new SharedPattern(`^${trunk}[0-9]${length}$`),
    withoutCode: new SharedPattern(`^${leading}[0-9]${rest}$`),
    withCode: new SharedPattern(`^${callingCode}${leading}[0-9]${rest}$`),
  };
}

function readingsSql(digits: string, plan: PhoneRegion) {
  const { withTrunk, withoutCode, withCode } = readings(plan);
  return {
    withTrunk: plan.trunk === '' ? '0' : withTrunk.matchesSql(digits),
    withoutCode: withoutCode.matchesSql(digits),
    withCode: withCode.matchesSql(digits),
  };
}

/** What a national number without its trunk prefix can start with. Zero, or a lost prefix, would be a wrong number. */
function leadingDigits(trunk: string): string {
  if (trunk === '') return '[0-9]';
  return trunk === '1' ? '[2-9]' : '[1-9]';
}
