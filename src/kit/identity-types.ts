/**
 * The identity types of the hub, strongest first. The order is the priority by which a row that points
 * to several profiles is resolved, and by which a new profile's mpid is derived.
 *
 * Matching combinations of columns (first+last+zip+state, …) are identity types like any other: matching
 * is one set-based lookup for everything.
 */
export const IDENTITY_TYPES = [
  'customer_id',
  'voter_id',
  'npi',
  'email',
  'email_sha256',
  'email_sha1',
  'email_md5',
  'email_sha512',
  'phone',
  'phone_sha256',
  'phone_sha1',
  'phone_md5',
  'phone_sha512',
  'full_address',
  'first_last_zip_state',
  'last_street_zip_state',
  'street_zip_state',
] as const;

/** One of {@link IDENTITY_TYPES}. */
export type IdentityType = (typeof IDENTITY_TYPES)[number];

/**
 * How an identity is handed to a partner. `raw` is the normalised value, `md5`, `sha1` and `sha256` are lower-case hex,
 * `sha256_base64` is the same digest in base64.
 */
export const IDENTITY_ENCODINGS = ['raw', 'md5', 'sha1', 'sha256', 'sha256_base64'] as const;

/** One of {@link IDENTITY_ENCODINGS}. */
export type IdentityEncoding = (typeof IDENTITY_ENCODINGS)[number];

/** True where `value` names an identity type of the hub. */
export function isIdentityType(value: string): value is IdentityType {
  return (IDENTITY_TYPES as readonly string[]).includes(value);
}

/** True where `value` names an encoding of identities. */
export function isIdentityEncoding(value: string): value is IdentityEncoding {
  return (IDENTITY_ENCODINGS as readonly string[]).includes(value);
}
