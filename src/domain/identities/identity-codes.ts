// Not through the kit's index, which brings zod: the threads that check files start in half the time without.
import { IDENTITY_TYPES, type IdentityType } from '../../kit/identity-types.js';

/**
 * The warehouse's UInt8 of each identity type. A stored key: never renumber, never use a number again. New
 * types take the next free number of their group; priority is {@link priorityOf}, not the code.
 */
export const IDENTITY_CODES: Readonly<Record<IdentityType, number>> = {
  customer_id: 1,
  voter_id: 2,
  npi: 3,
  email: 10,
  email_sha256: 11,
  email_sha1: 12,
  email_md5: 13,
  email_sha512: 14,
  phone: 20,
  phone_sha256: 21,
  phone_sha1: 22,
  phone_md5: 23,
  phone_sha512: 24,
  full_address: 30,
  first_last_zip_state: 40,
  last_street_zip_state: 41,
  street_zip_state: 42,
};

/** Stands in the log of what profiles learn for an attribute, whose key is the value there; of no identity type. */
export const ATTRIBUTE_CODE = 255;

const TYPES_BY_CODE: ReadonlyMap<number, IdentityType> = new Map(
  IDENTITY_TYPES.map((type) => [IDENTITY_CODES[type], type]),
);

/** The warehouse's UInt8 of `type`. */
export function codeOf(type: IdentityType): number {
  return IDENTITY_CODES[type];
}

/** The identity type of a warehouse code; undefined where no type has it. */
export function identityTypeOf(code: number): IdentityType | undefined {
  return TYPES_BY_CODE.get(code);
}

/** 0 is the strongest. Decides between profiles where a row points to several. */
export function priorityOf(type: IdentityType): number {
  return IDENTITY_TYPES.indexOf(type);
}

/** SQL (UInt8) of {@link priorityOf} over an expression of a code; 255 for an unknown code. */
export function prioritySql(codeExpression: string): string {
  const codes = IDENTITY_TYPES.map((type) => codeOf(type)).join(', ');
  const priorities = IDENTITY_TYPES.map((type) => priorityOf(type)).join(', ');
  return `transform(${codeExpression}, [${codes}], [${priorities}], 255)`;
}

/** SQL (UInt8) of the code over an expression of a {@link priorityOf}; 0 where no type has it. */
export function codeOfPrioritySql(priorityExpression: string): string {
  const priorities = IDENTITY_TYPES.map((type) => priorityOf(type)).join(', ');
  const codes = IDENTITY_TYPES.map((type) => codeOf(type)).join(', ');
  return `transform(${priorityExpression}, [${priorities}], [${codes}], 0)`;
}

/** SQL (String) of the name of a type over an expression of a code; '' for an unknown code. */
export function typeNameSql(codeExpression: string): string {
  const codes = IDENTITY_TYPES.map((type) => codeOf(type)).join(', ');
  const names = IDENTITY_TYPES.map((type) => `'${type}'`).join(', ');
  return `transform(${codeExpression}, [${codes}], [${names}], '')`;
}
