import { ruleOf, type NormaliseOptions } from '../identities/index.js';
import { BLANKS, SharedPattern, trimmed } from '../identities/text.js';
import { storedRule, type StoredRule } from './partner-rule.js';

const SEPARATOR = `[${BLANKS}.()-]`;
/**
 * 1(650)555-1212: a 1 that is set apart from the ten digits of a North American number is its country code. Eleven
 * digits in one run are not read so: they may as well be a mobile number of China or Germany.
 */
const setApart = new SharedPattern(
  `^1${SEPARATOR}+[2-9][0-9]{2}${SEPARATOR}*[2-9][0-9]{2}${SEPARATOR}*[0-9]{4}$`,
);
const northAmerican = new SharedPattern('^[+]1[0-9]{10}$');
const tenDigits = new SharedPattern('^[2-9][0-9]{9}$');

/** Digits with country code, without `+`. */
export const phoneDigits: StoredRule = storedRule('phone', {
  leftOut: 'PHONE_NO_COUNTRY_CODE',
  readHub: read,
  apply: (value) => (value.startsWith('+') ? value.slice(1) : ''),
  sql: (value) => `if(startsWith(${value}, '+'), substring(${value}, 2), '')`,
});

/** E.164: `+`, country code and digits. */
export const phoneE164: StoredRule = storedRule('phone', {
  leftOut: 'PHONE_NO_COUNTRY_CODE',
  readHub: read,
  apply: (value) => (value.startsWith('+') ? value : ''),
  sql: (value) => `if(startsWith(${value}, '+'), ${value}, '')`,
});

/** The bare ten digits of a US number. */
export const phoneTenDigits: StoredRule = storedRule('phone', {
  leftOut: 'PHONE_NOT_US',
  readHub: read,
  apply(value) {
    if (northAmerican.matches(value)) return value.slice(2);
    return tenDigits.matches(value) ? value : '';
  },
  sql: (value) =>
    `multiIf(${northAmerican.matchesSql(value)}, substring(${value}, 3), ${tenDigits.matchesSql(value)}, ${value}, '')`,
});

function read(raw: string, options: NormaliseOptions) {
  const text = trimmed(raw);
  return ruleOf('phone', options).apply(setApart.matches(text) ? `+${text}` : raw);
}
