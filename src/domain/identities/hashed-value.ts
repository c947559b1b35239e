import { createHash } from 'node:crypto';
import { letSql } from '../sql-text.js';
import { accept, NOTHING, reject, type Rule } from './normalised.js';
import { asciiLower, SharedPattern, trimmed, trimmedSql } from './text.js';

/** Algorithms of the hash forms of e-mail and phone. */
export const HASH_ALGORITHMS = ['md5', 'sha1', 'sha256', 'sha512'] as const;

/** One of {@link HASH_ALGORITHMS}. */
export type HashAlgorithm = (typeof HASH_ALGORITHMS)[number];

const HEX_DIGITS: Readonly<Record<HashAlgorithm, number>> = { md5: 32, sha1: 40, sha256: 64, sha512: 128 };

/**
 * A value that came as a hash: hexadecimal, lower case, passed on untouched. The hash of an empty text is
 * refused: files hashed without looking hold it in every row without a value, and it would make all of them one person.
 */
export function hashRule(algorithm: HashAlgorithm): Rule {
  const shape = new SharedPattern(`^[0-9a-f]{${HEX_DIGITS[algorithm]}}$`);
  const ofNothing = createHash(algorithm).update('').digest('hex');
  const hashSql = (raw: string) => `lower(${trimmedSql(raw)})`;
  return {
    apply(raw) {
      const hash = asciiLower(trimmed(raw));
      if (hash === '') return NOTHING;
      if (hash === ofNothing) return reject('HASH_OF_NOTHING');
      return shape.matches(hash) ? accept(hash) : reject('HASH_INVALID');
    },
    valueSql(raw) {
      const usable = `${shape.matchesSql('hub_hash')} AND hub_hash != '${ofNothing}'`;
      return letSql({ hub_hash: hashSql(raw) }, `if(${usable}, hub_hash, '')`);
    },
    reasonSql(raw) {
      const reason = `multiIf(hub_hash = '', '', hub_hash = '${ofNothing}', 'HASH_OF_NOTHING', NOT ${shape.matchesSql('hub_hash')}, 'HASH_INVALID', '')`;
      return letSql({ hub_hash: hashSql(raw) }, reason);
    },
  };
}
