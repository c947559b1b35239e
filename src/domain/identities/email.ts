import { letSql } from '../sql-text.js';
import { accept, NOTHING, onlyReasonSql, reject, type Rule } from './normalised.js';
import { BLANKS, byteLength, SharedPattern, trimmed, trimmedSql } from './text.js';

/** RFC 5321, 4.5.3.1: local part and whole address, in bytes. */
const MAX_LOCAL_BYTES = 64;
const MAX_BYTES = 254;

const LOCAL = `[^${BLANKS}\\x00-\\x1f\\x7f@<>()\\[\\],;:"\\\\]+`;
const LABEL = '[\\p{L}\\p{M}\\p{N}](?:[\\p{L}\\p{M}\\p{N}-]*[\\p{L}\\p{M}\\p{N}])?';
const TOP_LABEL = '(?:[\\p{L}\\p{M}]{2,}|xn--[a-z0-9-]*[a-z0-9])';
const address = new SharedPattern(`^${LOCAL}@(?:${LABEL}\\.)+${TOP_LABEL}$`);

/**
 * Trimmed and lower-cased, one `@`, a domain of at least two labels. Dots and suffixes of the local part stay:
 * dropping them is a rule of single partners, applied on the way out.
 */
export const emailRule: Rule = {
  apply(raw) {
    const email = trimmed(raw).toLowerCase();
    if (email === '') return NOTHING;
    const usable =
      byteLength(email) <= MAX_BYTES &&
      byteLength(email.slice(0, email.indexOf('@'))) <= MAX_LOCAL_BYTES &&
      address.matches(email);
    return usable ? accept(email) : reject('EMAIL_INVALID');
  },
  valueSql(raw) {
    const usable = [
      `length(hub_email) <= ${MAX_BYTES}`,
      `position(hub_email, '@') <= ${MAX_LOCAL_BYTES + 1}`,
      address.matchesSql('hub_email'),
    ].join(' AND ');
    return letSql({ hub_email: `lowerUTF8(${trimmedSql(raw)})` }, `if(${usable}, hub_email, '')`);
  },
  reasonSql(raw) {
    return onlyReasonSql('EMAIL_INVALID', trimmedSql(raw), this.valueSql(raw));
  },
};
