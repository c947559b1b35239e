import { letSql, sqlStrings } from '../sql-text.js';
import { ADDRESS_WORDS } from './address-words.js';
import { accept, NOTHING, onlyReasonSql, reject, type Rule } from './normalised.js';
import { composedLowerSql } from './person-name.js';
import { byteLength, SharedPattern, trimmed, trimmedSql } from './text.js';

const MAX_BYTES = 255;
/** Inside a word: O'Neil → oneil, N.W. → nw. Every other sign parts words: `St.,Apt 4`, `12-34`, `1/2`. */
const insideWords = new SharedPattern("[.'\u2018\u2019`]+");
const betweenWords = new SharedPattern('[^\\p{L}\\p{M}\\p{N}]+');

/**
 * Street lines and full addresses: lower case, punctuation dropped, single spaces, and each suffix, direction
 * and unit word in its short form: `12 North Main Street, Apartment 4` → `12 n main st apt 4`.
 */
export const addressRule: Rule = {
  apply(raw) {
    if (trimmed(raw) === '') return NOTHING;
    const plain = insideWords.replaceAll(raw.normalize('NFC').toLowerCase(), '');
    const words = betweenWords.replaceAll(plain, ' ').replaceAll(/^ | $/g, '').split(' ');
    const line = words.map((word) => ADDRESS_WORDS.get(word) ?? word).join(' ');
    return line !== '' && byteLength(line) <= MAX_BYTES ? accept(line) : reject('ADDRESS_INVALID');
  },
  valueSql(raw) {
    const plain = insideWords.replaceAllSql(composedLowerSql(raw), '');
    const words = `splitByChar(' ', trimBoth(${betweenWords.replaceAllSql(plain, ' ')}))`;
    const spellings = sqlStrings([...ADDRESS_WORDS.keys()]);
    const shortForms = sqlStrings([...ADDRESS_WORDS.values()]);
    const shortened = `transform(hub_word, ${spellings}, ${shortForms}, hub_word)`;
    const line = `arrayStringConcat(arrayMap(hub_word -> ${shortened}, ${words}), ' ')`;
    return letSql({ hub_line: line }, `if(length(hub_line) <= ${MAX_BYTES}, hub_line, '')`);
  },
  reasonSql(raw) {
    return onlyReasonSql('ADDRESS_INVALID', trimmedSql(raw), this.valueSql(raw));
  },
};
