import type { OutputMember } from '../../src/kit/index.js';
import type { Random } from './random.js';

/** So many people there are. Each has an id, and e-mails and a phone that are nobody else's. */
export const PEOPLE = 120;

/** What a row of a file says of somebody, beside the id. */
export interface Row {
  person: number;
  email: string;
  phone: string;
  /** An attribute. */
  team: string;
}

export const TEAM = 'Team';
const TEAMS = ['red', 'green', 'blue'] as const;

export const idOf = (person: number): string => `c${person}`;
export const emailOf = (person: number, which: 'first' | 'second'): string =>
  which === 'first' ? `p${person}@example.com` : `q${person}@example.com`;
export const phoneOf = (person: number): string => `+1555555${String(person).padStart(4, '0')}`;

/** Whose identities these are. */
export function personOf({ identities }: Pick<OutputMember, 'identities'>): number {
  const [value = ''] = Object.values(identities).flat();
  return personOfValue(value);
}

export function personOfValue(value: string): number {
  return Number(/^(?:c|p|q|\+1555555)0*(\d+)/.exec(value)?.[1]);
}

/** What a row says is told by chance; `teaching` files say more than others. */
export function rowOf(person: number, teaching: boolean, random: Random): Row {
  const second = teaching && random.chance(0.3);
  const first = person % 5 === 0 ? teaching && random.chance(0.5) : random.chance(0.8);
  return {
    person,
    email: second ? emailOf(person, 'second') : first ? emailOf(person, 'first') : '',
    phone: random.chance(teaching ? 0.3 : 0.05) ? phoneOf(person) : '',
    team: teaching && random.chance(0.6) ? (random.of(TEAMS) ?? '') : '',
  };
}

/** Attributes take time of their own, so only files that say some have a column of them. */
export function csvOf(rows: readonly Row[]): string {
  const hasTeams = rows.some(({ team }) => team !== '');
  const header = ['customer_id', 'email', 'phone', ...(hasTeams ? [TEAM] : [])];
  const lines = rows.map(({ person, email, phone, team }) =>
    [idOf(person), email, phone, ...(hasTeams ? [team] : [])].join(','),
  );
  return [header.join(','), ...lines, ''].join('\n');
}

/** Identities that a row gives its person, as `type=value`. */
export function identitiesOfRow({ person, email, phone }: Row): string[] {
  return [
    `customer_id=${idOf(person)}`,
    ...(email === '' ? [] : [`email=${email}`]),
    ...(phone === '' ? [] : [`phone=${phone}`]),
  ];
}
