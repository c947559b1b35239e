import type { IdentityType } from '../../kit/index.js';
import { codeOf } from './identity-codes.js';

/**
 * SQL (UInt128) of the key under which an identity is stored: a hash of (type, normalised value).
 * 128 bits, because 64 are too few for a billion people and two people are never confused.
 *
 * @param type an identity type, or `{ codeSql }`: a UInt8 expression of its code
 * @param valueSql a String expression of the normalised value
 */
export function identityHashSql(type: IdentityType | { codeSql: string }, valueSql: string): string {
  const code = typeof type === 'string' ? String(codeOf(type)) : type.codeSql;
  return `reinterpretAsUInt128(sipHash128(toUInt8(${code}), ${valueSql}))`;
}
