import { createHash } from 'node:crypto';
import type { IdentityType } from '../../kit/index.js';
import { letSql } from '../sql-text.js';
import { codeOf } from './identity-codes.js';
import { HASH_ALGORITHMS, type HashAlgorithm } from './hashed-value.js';
import { CALLING_CODES } from './phone-regions.js';
import { SharedPattern } from './text.js';

/** A hashed identity under which a raw one can be found. */
export interface HashForm {
  type: IdentityType;
  /** Lower-case hex. */
  value: string;
}

const callingCode = new SharedPattern(`^[+]${CALLING_CODES}`);
const plus = new SharedPattern('^[+]');
const SQL_FUNCTIONS: Readonly<Record<HashAlgorithm, string>> = {
  md5: 'MD5',
  sha1: 'SHA1',
  sha256: 'SHA256',
  sha512: 'SHA512',
};

/**
 * The hashes partners make of a normalised e-mail or phone. E-mail: of the lower-case address. Phone: of the
 * E.164 form (Google), of the digits with country code (Meta) and of the bare national digits (IQM); of the
 * digits alone where no country code is known.
 *
 * @param value as the e-mail or phone rule returns it; '' gives no form
 */
export function hashForms(type: 'email' | 'phone', value: string): HashForm[] {
  if (value === '') return [];
  const texts = type === 'email' ? [value] : spellings(value);
  return texts.flatMap((text) =>
    HASH_ALGORITHMS.map((algorithm) => ({
      type: `${type}_${algorithm}` as const,
      value: createHash(algorithm).update(text).digest('hex'),
    })),
  );
}

/**
 * SQL twin of {@link hashForms}: `Array(Tuple(UInt8, String))` of type code and lower-case hex, over a String
 * expression of the normalised value.
 */
export function hashFormsSql(type: 'email' | 'phone', valueSql: string): string {
  const texts = type === 'email' ? '[hub_value]' : spellingsSql('hub_value');
  const forms = HASH_ALGORITHMS.map((algorithm) => {
    const hex = `lower(hex(${SQL_FUNCTIONS[algorithm]}(hub_text)))`;
    return `(toUInt8(${codeOf(`${type}_${algorithm}`)}), ${hex})`;
  });
  const nonEmpty = `arrayFilter(hub_text -> hub_text != '', ${texts})`;
  const body = `arrayFlatten(arrayMap(hub_text -> [${forms.join(', ')}], ${nonEmpty}))`;
  return letSql({ hub_value: valueSql }, body);
}

function spellings(phone: string): string[] {
  if (!plus.matches(phone)) return [phone];
  return [phone, plus.replaceAll(phone, ''), callingCode.replaceAll(phone, '')];
}

function spellingsSql(phone: string): string {
  const withCode = `[${phone}, ${plus.replaceAllSql(phone, '')}, ${callingCode.replaceAllSql(phone, '')}]`;
  return `if(${plus.matchesSql(phone)}, ${withCode}, [${phone}])`;
}
