import { letSql } from '../sql-text.js';
import { accept, NOTHING, onlyReasonSql, reject, type Rule } from './normalised.js';
import { BLANKS, byteLength, SharedPattern, trimmed, trimmedSql } from './text.js';

const MAX_BYTES = 255;
const punctuation = new SharedPattern(`[^\\p{L}\\p{M}\\p{N}${BLANKS}]+`);
const gaps = new SharedPattern('[^\\p{L}\\p{M}\\p{N}]+');

/** First and last names: lower case, letters and digits of any script (NFC), single spaces; O'Brien-Smith → obriensmith. */
export const personNameRule: Rule = {
  apply(raw) {
    if (trimmed(raw) === '') return NOTHING;
    const letters = punctuation.replaceAll(raw.normalize('NFC').toLowerCase(), '');
    const name = gaps.replaceAll(letters, ' ').replaceAll(/^ | $/g, '');
    return name !== '' && byteLength(name) <= MAX_BYTES ? accept(name) : reject('NAME_INVALID');
  },
  valueSql(raw) {
    const letters = punctuation.replaceAllSql(composedLowerSql(raw), '');
    const name = `trimBoth(${gaps.replaceAllSql(letters, ' ')})`;
    return letSql({ hub_name: name }, `if(length(hub_name) <= ${MAX_BYTES}, hub_name, '')`);
  },
  reasonSql(raw) {
    return onlyReasonSql('NAME_INVALID', trimmedSql(raw), this.valueSql(raw));
  },
};

/** NFC throws on bytes that are no UTF-8; those become U+FFFD, as JavaScript reads them. */
export function composedLowerSql(raw: string): string {
  return `lowerUTF8(normalizeUTF8NFC(toValidUTF8(${raw})))`;
}
