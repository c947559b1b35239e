import { letSql } from '../sql-text.js';
import { accept, NOTHING, onlyReasonSql, reject, type Rule } from './normalised.js';
import { asciiUpper, SharedPattern, trimmed, trimmedSql } from './text.js';

const l2Shape = new SharedPattern('^LAL[A-Z]{2}[0-9]{1,20}$');
const otherShape = new SharedPattern('^[A-Z0-9-]{3,64}$');

/** L2's `LAL` + two letters + digits, or another data partner's id of letters, digits and hyphens. Upper case. */
export const voterIdRule: Rule = {
  apply(raw) {
    const id = asciiUpper(trimmed(raw));
    if (id === '') return NOTHING;
    const shape = id.startsWith('LAL') ? l2Shape : otherShape;
    return shape.matches(id) ? accept(id) : reject('VOTER_ID_INVALID');
  },
  valueSql(raw) {
    const usable = `if(startsWith(hub_id, 'LAL'), ${l2Shape.matchesSql('hub_id')}, ${otherShape.matchesSql('hub_id')})`;
    return letSql({ hub_id: `upper(${trimmedSql(raw)})` }, `if(${usable}, hub_id, '')`);
  },
  reasonSql(raw) {
    return onlyReasonSql('VOTER_ID_INVALID', trimmedSql(raw), this.valueSql(raw));
  },
};
