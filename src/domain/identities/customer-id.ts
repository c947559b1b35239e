import { sqlString } from '../sql-text.js';
import { asciiTrimmed, asciiTrimmedSql, byteLength } from './text.js';
import { accept, NOTHING, reject, type Rule } from './normalised.js';

const MAX_BYTES = 255;

/**
 * The id a customer knows a person by. Case matters; only outer ASCII white space is dropped. This is the rule
 * of files with millions of ids, so its SQL uses no regular expression.
 */
export const customerIdRule: Rule = {
  apply(raw) {
    const id = asciiTrimmed(raw);
    if (id === '') return NOTHING;
    if (byteLength(id) > MAX_BYTES) return reject('CUSTOMER_ID_TOO_LONG');
    return id.includes('\0') ? reject('CUSTOMER_ID_NUL') : accept(id);
  },
  valueSql(raw) {
    const id = asciiTrimmedSql(raw);
    return `if(length(${id}) > ${MAX_BYTES} OR position(${id}, ${sqlString('\0')}) > 0, '', ${id})`;
  },
  reasonSql(raw) {
    const id = asciiTrimmedSql(raw);
    return `multiIf(length(${id}) > ${MAX_BYTES}, 'CUSTOMER_ID_TOO_LONG', position(${id}, ${sqlString('\0')}) > 0, 'CUSTOMER_ID_NUL', '')`;
  },
};
