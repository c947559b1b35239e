import { sqlStrings } from '../sql-text.js';
import { accept, NOTHING, onlyReasonSql, reject, type Rule } from './normalised.js';
import { asciiLower, BLANKS, SharedPattern, trimmed, trimmedSql } from './text.js';
import { US_STATE_ALIASES, US_STATES } from './us-states.js';

const separators = new SharedPattern(`[${BLANKS}._-]+`);

const CODES: ReadonlyMap<string, string> = new Map([
  ...Object.keys(US_STATES).map((code) => [folded(code), code] as const),
  ...Object.entries(US_STATES).map(([code, name]) => [folded(name), code] as const),
  ...Object.entries(US_STATE_ALIASES).map(([name, code]) => [folded(name), code] as const),
]);

/** "New York", "new-york", "N.Y." and "NY" are the same state: NY. */
export const stateRule: Rule = {
  apply(raw) {
    if (trimmed(raw) === '') return NOTHING;
    const code = CODES.get(folded(raw));
    return code === undefined ? reject('STATE_UNKNOWN') : accept(code);
  },
  valueSql(raw) {
    const name = `lower(${separators.replaceAllSql(raw, '')})`;
    return `transform(${name}, ${sqlStrings([...CODES.keys()])}, ${sqlStrings([...CODES.values()])}, '')`;
  },
  reasonSql(raw) {
    return onlyReasonSql('STATE_UNKNOWN', trimmedSql(raw), this.valueSql(raw));
  },
};

function folded(name: string): string {
  return asciiLower(separators.replaceAll(name, ''));
}
