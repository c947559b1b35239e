import type { Batch, IdentityType, OutputMember } from '../../src/kit/index.js';
import type { BrazeSettings, Identifier } from './settings.js';

/** Characters that Braze keeps of an attribute's text. */
const MAX_VALUE_LENGTH = 255;

export type BrazeIdentity = 'customer_id' | 'email' | 'phone';

/** An attributes object of a request, and the place of its member in the batch. */
export interface Update {
  index: number;
  attributes: Record<string, unknown>;
}

/** The identity of the hub that each identifier is made from. */
export const IDENTITY_OF: Record<Identifier, BrazeIdentity> = {
  external_id: 'customer_id',
  user_alias: 'customer_id',
  email: 'email',
  phone: 'phone',
} satisfies Record<Identifier, IdentityType>;

/** What there is to send for a batch; members without any of the identifiers have no update. */
export function updatesOf(
  settings: BrazeSettings,
  name: string,
  operation: 'add' | 'remove',
  { members }: Batch<BrazeIdentity>,
): Update[] {
  const change = changeOf(settings, name, operation);
  return members.flatMap((member, index) =>
    identifiersOf(settings, member).map((identifier) => ({
      index,
      attributes: {
        ...(operation === 'add' ? customOf(member) : {}),
        ...(operation === 'add' ? sharedOf(settings, identifier, member) : {}),
        ...identifier,
        // Somebody who leaves is never made anew.
        _update_existing_only: operation === 'remove' || !settings.createUsers,
        ...change,
      },
    })),
  );
}

/** The member by the first way that it can be found; by each of its values, as each may be another profile. */
function identifiersOf(
  { identifyBy, aliasLabel }: BrazeSettings,
  { identities }: OutputMember<BrazeIdentity>,
): Record<string, unknown>[] {
  const way = identifyBy.find((one) => (identities[IDENTITY_OF[one]]?.length ?? 0) > 0);
  if (way === undefined) return [];
  const values = identities[IDENTITY_OF[way]] ?? [];
  return values.map((value) =>
    way === 'user_alias' ? { user_alias: { alias_name: value, alias_label: aliasLabel } } : { [way]: value },
  );
}

/** Attributes that the connection shares. Braze cuts longer texts short, and then they would say something else. */
function customOf({ attributes = {} }: OutputMember<BrazeIdentity>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(attributes).filter(([, value]) => value.length <= MAX_VALUE_LENGTH),
  );
}

function sharedOf(
  { share }: BrazeSettings,
  identifier: object,
  { identities }: OutputMember<BrazeIdentity>,
): Record<string, string> {
  if ('email' in identifier || 'phone' in identifier) return {};
  return Object.fromEntries(
    share.flatMap((field) => {
      const value = identities[field]?.[0];
      return value === undefined ? [] : [[field, value]];
    }),
  );
}

function changeOf(
  { membership, arrayAttribute, onRemove }: BrazeSettings,
  name: string,
  operation: 'add' | 'remove',
): Record<string, unknown> {
  if (membership === 'array') return { [arrayAttribute]: { [operation]: [name] } };
  if (operation === 'add') return { [name]: true };
  return { [name]: onRemove === 'unset' ? null : false };
}
