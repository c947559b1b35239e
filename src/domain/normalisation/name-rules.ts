import { BLANKS, byteLength, SharedPattern, trimmed } from '../identities/text.js';
import { storedRule, type PartnerText, type StoredRule } from './partner-rule.js';

const MAX_BYTES = 255;
const letterOrDigit = new SharedPattern('[\\p{L}\\p{N}]');
const blanks = new SharedPattern(`[${BLANKS}]+`);
/** A title needs a name behind it: somebody may be called Dr. */
const titles = new SharedPattern('^(?:(?:mr|mrs|ms|dr)[.]? +)+');
const suffixes = new SharedPattern(
  '(?:[ ,]+(?:jr|sr|2nd|3rd|ii|iii|iv|v|vi|cpa|dc|dds|vm|jd|md|phd)[.]?)*[ ,]*$',
);

/** First names without titles; hyphens stay where the text has them. */
export const firstNameWithoutTitle: StoredRule = storedRule('first_name', {
  leftOut: 'NAME_LEFT_OUT',
  readHub: read,
  apply: (value) => titles.replaceAll(value, ''),
  sql: (value) => titles.replaceAllSql(value, ''),
});

/** Last names without suffixes of generation, degree and profession; hyphens stay where the text has them. */
export const lastNameWithoutSuffix: StoredRule = storedRule('last_name', {
  leftOut: 'NAME_LEFT_OUT',
  readHub: read,
  apply: (value) => suffixes.replaceAll(value, ''),
  sql: (value) => suffixes.replaceAllSql(value, ''),
});

/** Trimmed, lower case, single blanks; unlike the hub's own reading, punctuation stays. */
function read(raw: string): PartnerText {
  const name = blanks.replaceAll(trimmed(raw).normalize('NFC').toLowerCase(), ' ');
  if (name === '') return { value: '' };
  const usable = letterOrDigit.matches(name) && byteLength(name) <= MAX_BYTES;
  return usable ? { value: name } : { value: '', reason: 'NAME_INVALID' };
}
