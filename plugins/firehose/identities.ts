import type { IdentityForm, OutputMember } from '../../src/kit/index.js';
import type { FirehoseSettings } from './settings.js';

type Sharing = FirehoseSettings['email'];
type Hash = Exclude<Sharing, 'off' | 'raw'>;

export type FirehoseIdentity = 'customer_id' | 'email' | 'phone' | `${'email' | 'phone'}_${Hash}`;

/** An identity as Firehose names it. */
export interface UserIdentity {
  type: 'customer' | 'email' | 'mobile_number';
  encoding: Exclude<Sharing, 'off'>;
  value: string;
}

/** One kind of identity under the settings: what to ask the host for, and what it is called there. */
interface Kind {
  called: UserIdentity['type'];
  encoding: Exclude<Sharing, 'off'>;
  forms: IdentityForm<FirehoseIdentity>[];
}

/** Everything that any settings may ask for. */
export const ALL_FORMS: readonly IdentityForm<FirehoseIdentity>[] = [
  ...(['raw', 'md5', 'sha1', 'sha256'] as const).flatMap((encoding) =>
    (['customer_id', 'email', 'phone'] as const).map((type) => ({ type, encoding })),
  ),
  ...(['md5', 'sha1', 'sha256'] as const).flatMap((hash) =>
    (['email', 'phone'] as const).map((type) => ({
      type: `${type}_${hash}` as const,
      encoding: 'raw' as const,
    })),
  ),
];

/** The kinds that the settings share. */
export function kindsOf({ email, phone, customerId }: FirehoseSettings): Kind[] {
  const kinds: Kind[] = [];
  if (customerId !== 'off') {
    kinds.push({
      called: 'customer',
      encoding: customerId,
      forms: [{ type: 'customer_id', encoding: customerId }],
    });
  }
  if (email !== 'off') kinds.push({ called: 'email', encoding: email, forms: formsOf('email', email) });
  if (phone !== 'off')
    kinds.push({ called: 'mobile_number', encoding: phone, forms: formsOf('phone', phone) });
  return kinds;
}

/** Who is known by the hash alone is sent as well. */
function formsOf(
  type: 'email' | 'phone',
  encoding: Exclude<Sharing, 'off'>,
): IdentityForm<FirehoseIdentity>[] {
  if (encoding === 'raw') return [{ type, encoding }];
  return [
    { type, encoding },
    { type: `${type}_${encoding}`, encoding: 'raw' },
  ];
}

/** A member's identities as Firehose has them, each value once. */
export function userIdentitiesOf(
  settings: FirehoseSettings,
  { identities }: OutputMember<FirehoseIdentity>,
): UserIdentity[] {
  return kindsOf(settings).flatMap(({ called, encoding, forms }) => {
    const values = new Set(forms.flatMap(({ type }) => identities[type] ?? []));
    return [...values].map((value) => ({ type: called, encoding, value }));
  });
}
