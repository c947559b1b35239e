import { letSql, sqlString } from '../sql-text.js';
import { L2, partnerPrefix } from './data-partners.js';
import { accept, NOTHING, onlyReasonSql, reject, type Rule } from './normalised.js';
import { asciiUpper, SharedPattern, trimmed, trimmedSql } from './text.js';

const l2Shape = new SharedPattern('^LAL[A-Z]{2}[0-9]{1,20}$');
const otherShape = new SharedPattern('^[A-Z0-9-]{3,64}$');

/** What is told apart: which ids a partner has, and what is stored of one. */
interface Form {
  matches(id: string): boolean;
  matchesSql(id: string): string;
  stored(id: string): string;
  storedSql(id: string): string;
}

const asItIs = { stored: (id: string) => id, storedSql: (id: string) => id };

/** L2's `LAL` + two letters + digits, or another id, which does not begin like L2's. */
const anybodys = {
  matches: (id: string) => (id.startsWith('LAL') ? l2Shape : otherShape).matches(id),
  matchesSql: (id: string) =>
    `if(startsWith(${id}, 'LAL'), ${l2Shape.matchesSql(id)}, ${otherShape.matchesSql(id)})`,
};

/**
 * Voter ids, in upper case, of the data partner: L2's, another one's letters, digits and hyphens, or (`''`) ids of
 * which nobody said whose they are. Undefined: as columns were read before they had partners, all ids as they are.
 */
export function voterIdRule(partner?: string): Rule {
  const form = formOf(partner);
  return {
    apply(raw) {
      const id = asciiUpper(trimmed(raw));
      if (id === '') return NOTHING;
      return form.matches(id) ? accept(form.stored(id)) : reject('VOTER_ID_INVALID');
    },
    valueSql(raw) {
      const usable = form.matchesSql('hub_id');
      return letSql(
        { hub_id: `upper(${trimmedSql(raw)})` },
        `if(${usable}, ${form.storedSql('hub_id')}, '')`,
      );
    },
    reasonSql(raw) {
      return onlyReasonSql('VOTER_ID_INVALID', trimmedSql(raw), this.valueSql(raw));
    },
  };
}

function formOf(partner: string | undefined): Form {
  if (partner === undefined) return { ...anybodys, ...asItIs };
  if (partner === L2) {
    return { ...asItIs, matches: (id) => l2Shape.matches(id), matchesSql: (id) => l2Shape.matchesSql(id) };
  }
  const prefix = partnerPrefix(partner);
  if (partner === '') {
    return {
      ...anybodys,
      stored: (id) => (id.startsWith('LAL') ? `${prefix}${id}` : id),
      storedSql: (id) => `if(startsWith(${id}, 'LAL'), concat('${prefix}', ${id}), ${id})`,
    };
  }
  return {
    matches: (id) => otherShape.matches(id),
    matchesSql: (id) => otherShape.matchesSql(id),
    stored: (id) => `${prefix}${id}`,
    storedSql: (id) => `concat(${sqlString(prefix)}, ${id})`,
  };
}
