import { ruleOf } from '../identities/index.js';
import { BLANKS, SharedPattern } from '../identities/text.js';
import { letSql } from '../sql-text.js';
import { asItIs, storedRule, type StoredRule } from './partner-rule.js';

const blanks = new SharedPattern(`[${BLANKS}]+`);

/** Trimmed and lower case: what the hub keeps. */
export const plainEmail: StoredRule = asItIs('email');

/** Blanks inside are dropped too. What the hub keeps has none. */
export const emailWithoutBlanks: StoredRule = storedRule('email', {
  readHub: withoutBlanks,
  apply: (value) => value,
  sql: (value) => value,
});

/**
 * At the given mail hosts dots and everything from `+` on are dropped before the `@`: all these addresses are one
 * mailbox there. Elsewhere they are another person's.
 */
export function emailByMailbox(hosts: readonly string[]): StoredRule {
  const endings = hosts.map((host) => `@${host}`);
  return storedRule('email', {
    leftOut: 'EMAIL_LEFT_OUT',
    readHub: withoutBlanks,
    apply(value) {
      const at = value.lastIndexOf('@');
      if (!endings.includes(value.slice(at))) return value;
      const [mailbox = ''] = value.slice(0, at).split('+');
      const bare = mailbox.replaceAll('.', '');
      return bare === '' ? '' : `${bare}${value.slice(at)}`;
    },
    sql(value) {
      const isHost = endings.map((ending) => `endsWith(hub_email, '${ending}')`).join(' OR ');
      const local = `substring(hub_email, 1, position(hub_email, '@') - 1)`;
      const bare = `replaceAll(splitByChar('+', ${local})[1], '.', '')`;
      const ending = `substring(hub_email, position(hub_email, '@'))`;
      const mailbox = letSql({ hub_bare: bare }, `if(hub_bare = '', '', concat(hub_bare, ${ending}))`);
      return letSql({ hub_email: value }, `if(${isHost}, ${mailbox}, hub_email)`);
    },
  });
}

function withoutBlanks(raw: string) {
  return ruleOf('email').apply(blanks.replaceAll(raw, ''));
}
