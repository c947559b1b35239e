import type { IdentityType } from '../../kit/identity-types.js';
import { letSql } from '../sql-text.js';
import { IDENTITY_CODES } from './identity-codes.js';

/**
 * Data partners: whose ids a column of voter ids or NPIs holds. Equal ids of two partners are two identities, and an id
 * of which no partner is said is a third: it is never guessed.
 *
 * The namespace is part of the stored value. An id of L2 says itself whose it is and stands as it is (`LALNY123`), and
 * so does an NPI, which has one registry. Ids of another partner stand behind its name (`targetsmart:VB1`), ids of
 * nobody as they are, but for those in L2's form, which stand behind a colon (`:LALNY123`). No id holds a colon.
 * What leaves the hub is the bare id.
 */
export const PARTNERED_TYPES = ['voter_id', 'npi'] as const satisfies readonly IdentityType[];

/** One of {@link PARTNERED_TYPES}. */
export type PartneredType = (typeof PARTNERED_TYPES)[number];

export const L2 = 'l2';

/** Names that partners go by elsewhere; '' is whoever gives out ids of the type by itself (the registry of NPIs). */
const ALIASES: Readonly<Record<PartneredType, Readonly<Record<string, string>>>> = {
  voter_id: { lalvoterid: L2, voterbase_id: 'targetsmart' },
  npi: { healthcare_id: '', nppes: '' },
};

const LABELS: Readonly<Record<string, string>> = { [L2]: 'L2', targetsmart: 'TargetSmart' };

/** True for the types whose ids belong to a data partner. */
export function isPartnered(type: string): type is PartneredType {
  return (PARTNERED_TYPES as readonly string[]).includes(type);
}

/** The one name of a partner, whatever it was called: `voterbase_id` is `targetsmart`. Letters, digits, `-` and `_`. */
export function partnerNamed(type: PartneredType, name: string): string {
  const folded = name
    .trim()
    .toLowerCase()
    .replaceAll(/[^a-z0-9_-]/g, '-');
  return ALIASES[type][folded] ?? folded;
}

/** Name of a partner for people. */
export function partnerLabel(partner: string | undefined): string {
  return partner === undefined || partner === '' ? 'no data partner' : (LABELS[partner] ?? partner);
}

/** What stands in front of an id of this partner. */
export const partnerPrefix = (partner: string): string => `${partner}:`;

/** A stored value taken apart: the bare id, and the partner where it is one of a partner. */
export function partnerAndId(type: string, value: string): { id: string; partner?: string } {
  if (!isPartnered(type)) return { id: value };
  const colon = value.indexOf(':');
  if (colon > 0) return { id: value.slice(colon + 1), partner: value.slice(0, colon) };
  if (colon === 0) return { id: value.slice(1) };
  return type === 'voter_id' && value.startsWith('LAL') ? { id: value, partner: L2 } : { id: value };
}

const CODES = PARTNERED_TYPES.map((type) => IDENTITY_CODES[type]);

/** True where one of these codes is of a type with partners. */
export function anyPartnered(codes: readonly number[]): boolean {
  return codes.some((code) => CODES.includes(code));
}

/** SQL (String) of what leaves the hub, over a UInt8 of the type's code and a stored value. */
export function bareIdSql(codeSql: string, valueSql: string): string {
  const bare = letSql(
    { hub_id: valueSql },
    `if(position(hub_id, ':') = 0, hub_id, substring(hub_id, position(hub_id, ':') + 1))`,
  );
  return `if(${codeSql} IN (${CODES.join(', ')}), ${bare}, ${valueSql})`;
}

/** SQL (String) of an identity's namespace: people have one id of each. '' for types without partners. */
export function namespaceSql(codeSql: string, valueSql: string): string {
  const space = letSql(
    { hub_id: valueSql },
    `multiIf(position(hub_id, ':') > 0, substring(hub_id, 1, position(hub_id, ':') - 1),
      ${codeSql} = ${IDENTITY_CODES.voter_id} AND startsWith(hub_id, 'LAL'), '${L2}', '')`,
  );
  return `if(${codeSql} IN (${CODES.join(', ')}), ${space}, '')`;
}
