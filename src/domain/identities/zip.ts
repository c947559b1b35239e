import { letSql } from '../sql-text.js';
import { accept, NOTHING, onlyReasonSql, reject, type Rule } from './normalised.js';
import { SharedPattern, trimmed, trimmedSql } from './text.js';

/** Three to five digits (spreadsheets drop leading zeros and append .0), with ZIP+4 or without. */
const withLostZeros = new SharedPattern('^[0-9]{3,5}(?:\\.0|-(?:[0-9]{4})?)?$');
const nineDigits = new SharedPattern('^[0-9]{5} ?[0-9]{4}$');
const leadingDigits = new SharedPattern('^[0-9]{3,5}');

/** The lowest ZIP in use; 00000 and its like are fillers. */
const LOWEST = '00501';

/** US ZIP code, five digits; the four of ZIP+4 are dropped. */
export const zipRule: Rule = {
  apply(raw) {
    const text = trimmed(raw);
    if (text === '') return NOTHING;
    if (!withLostZeros.matches(text) && !nineDigits.matches(text)) return reject('ZIP_INVALID');
    const zip = leadingDigits.find(text).padStart(5, '0');
    return zip < LOWEST ? reject('ZIP_INVALID') : accept(zip);
  },
  valueSql(raw) {
    const isZip = `${withLostZeros.matchesSql('hub_text')} OR ${nineDigits.matchesSql('hub_text')}`;
    const zip = `leftPad(${leadingDigits.findSql('hub_text')}, 5, '0')`;
    const checked = `if((${isZip}) AND ${zip} >= '${LOWEST}', ${zip}, '')`;
    return letSql({ hub_text: trimmedSql(raw) }, checked);
  },
  reasonSql(raw) {
    return onlyReasonSql('ZIP_INVALID', trimmedSql(raw), this.valueSql(raw));
  },
};
