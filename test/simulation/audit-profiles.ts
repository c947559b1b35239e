import { typeNameSql } from '../../src/domain/identities/index.js';
import { TEAM } from './people.js';
import type { World } from './world.js';

/** A profile as the warehouse has it: `type=value` of each identity, sorted. */
export type Profiles = Map<string, string[]>;

export async function profilesOf({ storage, number }: World): Promise<Profiles> {
  const rows = await storage.warehouse.query<{ mpid: string; identities: string[] }>(
    `SELECT toString(mpid) AS mpid, arraySort(groupUniqArray(concat(${typeNameSql('type')}, '=', value))) AS identities
     FROM profiles WHERE workspace = ${number} GROUP BY profiles.mpid`,
  );
  return new Map(rows.map(({ mpid, identities }) => [mpid, identities]));
}

/** The attribute that the warehouse has of people, by mpid. */
export type Teams = Map<string, string>;

export async function teamsOf({ storage, number }: World): Promise<Teams> {
  const rows = await storage.warehouse.query<{ m: string; team: string }>(
    `SELECT toString(mpid) AS m, argMax(value, import) AS team FROM attributes
     WHERE workspace = ${number} AND name = '${TEAM}' GROUP BY mpid`,
  );
  return new Map(rows.map(({ m, team }) => [m, team]));
}

/** Nobody is two profiles, no profile is two people, and what a finished import said is known. */
export function profileProblems(profiles: Profiles): string[] {
  const problems: string[] = [];
  const seen = new Set<string>();
  for (const [mpid, identities] of profiles) {
    const ids = identities.filter((one) => one.startsWith('customer_id='));
    if (ids.length !== 1) problems.push(`Profile ${mpid} is ${ids.join(' and ') || 'nobody'}.`);
    for (const id of ids.filter((one) => seen.has(one))) problems.push(`${id} is two profiles.`);
    for (const id of ids) seen.add(id);
  }
  return problems;
}

/** By customer id. */
export function mpidsOf(profiles: Profiles): Map<string, string> {
  const pairs = [...profiles].flatMap(([mpid, identities]) =>
    identities
      .filter((one) => one.startsWith('customer_id='))
      .map((one): [string, string] => [one.slice('customer_id='.length), mpid]),
  );
  return new Map(pairs);
}
