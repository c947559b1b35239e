import { sqlString } from '../sql-text.js';
import { byteLength, SharedPattern } from './text.js';
import { accept, NOTHING, reject, type Rule } from './normalised.js';

const MAX_BYTES = 255;
const WHITE_SPACE = ' \t\n\v\f\r';
const outerWhiteSpace = new SharedPattern('^[\\t-\\r ]+|[\\t-\\r ]+$');

/**
 * The id a customer knows a person by. Case matters; only outer ASCII white space is dropped. This is the rule
 * of files with millions of ids, so its SQL uses no regular expression.
 */
export const customerIdRule: Rule = {
  apply(raw) {
    const id = outerWhiteSpace.replaceAll(raw, '');
    if (id === '') return NOTHING;
    if (byteLength(id) > MAX_BYTES) return reject('CUSTOMER_ID_TOO_LONG');
    return id.includes('\0') ? reject('CUSTOMER_ID_NUL') : accept(id);
  },
  valueSql(raw) {
    const id = idSql(raw);
    return `if(length(${id}) > ${MAX_BYTES} OR position(${id}, ${sqlString('\0')}) > 0, '', ${id})`;
  },
  reasonSql(raw) {
    const id = idSql(raw);
    return `multiIf(length(${id}) > ${MAX_BYTES}, 'CUSTOMER_ID_TOO_LONG', position(${id}, ${sqlString('\0')}) > 0, 'CUSTOMER_ID_NUL', '')`;
  },
};

function idSql(raw: string): string {
  return `trimBoth(${raw}, ${sqlString(WHITE_SPACE)})`;
}
