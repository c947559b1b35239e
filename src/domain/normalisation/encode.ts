import { createHash } from 'node:crypto';
import type { IdentityEncoding } from '../../kit/index.js';
import { isShort, letSql } from '../sql-text.js';

/** What each encoding is made by. */
const HASHES = {
  md5: { algorithm: 'md5', sql: 'MD5', hexDigits: 32 },
  sha1: { algorithm: 'sha1', sql: 'SHA1', hexDigits: 40 },
  sha256: { algorithm: 'sha256', sql: 'SHA256', hexDigits: 64 },
  sha256_base64: { algorithm: 'sha256', sql: 'SHA256', hexDigits: 64 },
} as const;

/** Encodings in hexadecimal digits. */
export type HexEncoding = Exclude<IdentityEncoding, 'raw' | 'sha256_base64'>;

/** `text` in an encoding; '' stays '': what is not there is never hashed. */
export function encode(encoding: IdentityEncoding, text: string): string {
  if (encoding === 'raw' || text === '') return text;
  const digest = createHash(HASHES[encoding].algorithm).update(text);
  return encoding === 'sha256_base64' ? digest.digest('base64') : digest.digest('hex');
}

/** SQL twin of {@link encode} for texts that are not ''. */
export function encodeSql(encoding: IdentityEncoding, text: string): string {
  if (encoding === 'raw') return text;
  const digest = digestSql(encoding, text);
  return encoding === 'sha256_base64' ? `base64Encode(${digest})` : `lower(hex(${digest}))`;
}

/** SQL of a text's digest, in bytes. */
export function digestSql(encoding: Exclude<IdentityEncoding, 'raw'>, text: string): string {
  return `${HASHES[encoding].sql}(${text})`;
}

/** Bytes of a digest. */
export function digestBytesOf(encoding: Exclude<IdentityEncoding, 'raw'>): number {
  return HASHES[encoding].hexDigits / 2;
}

/** True where `text` is such a hash already, in hexadecimal digits. */
export function isHashed(encoding: IdentityEncoding, text: string): boolean {
  return (
    encoding !== 'raw' && text.length === HASHES[encoding].hexDigits && /^[0-9a-f]+$|^[0-9A-F]+$/.test(text)
  );
}

/** SQL twin of {@link isHashed}; looks at texts of the right length only. */
export function isHashedSql(encoding: Exclude<IdentityEncoding, 'raw'>, text: string): string {
  return `(length(${text}) = ${HASHES[encoding].hexDigits} AND match(${text}, '^[0-9a-f]+$|^[0-9A-F]+$'))`;
}

/** What came in hashed, as the encoding has it: untouched, but for the digits of a base64. */
export function passOn(encoding: IdentityEncoding, hash: string): string {
  return encoding === 'sha256_base64' ? Buffer.from(hash, 'hex').toString('base64') : hash;
}

/** SQL twin of {@link passOn}. */
export function passOnSql(encoding: IdentityEncoding, hash: string): string {
  return encoding === 'sha256_base64' ? `base64Encode(unhex(${hash}))` : hash;
}

/** How values are written for whoever reads them: as texts, or packed (`pack.ts`). */
export interface Writing {
  /** SQL in front of a combination that is written part by part. */
  front: readonly string[];
  /** SQL of a text's encoding, which is not ''. */
  encoded(encoding: IdentityEncoding, textSql: string): string;
  /** SQL of what is such a hash already. */
  passedOn(encoding: IdentityEncoding, hashSql: string): string;
  /** SQL of the hashes of all parts of a combination. Only of texts that are neither '' nor hashed already. */
  all(encoding: HexEncoding, textSqls: readonly string[], separator: string): string;
}

/** As the partner gets them. */
export const AS_TEXT: Writing = { front: [], encoded: encodeSql, passedOn: passOnSql, all: encodeAllSql };

/** SQL of a text's encoding: '' stays '', and what is such a hash already is passed on. */
export function encodeOnceSql(
  encoding: IdentityEncoding,
  textSql: string,
  mayBeHashed: boolean,
  writing: Writing,
): string {
  if (encoding === 'raw' && writing === AS_TEXT) return textSql;
  const out = isShort(textSql) ? textSql : 'hub_out';
  const hashed =
    mayBeHashed && encoding !== 'raw'
      ? [`${isHashedSql(encoding, out)}, ${writing.passedOn(encoding, out)}`]
      : [];
  const cases = [`${out} = '', ''`, ...hashed, writing.encoded(encoding, out)].join(', ');
  return out === textSql ? `multiIf(${cases})` : letSql({ hub_out: textSql }, `multiIf(${cases})`);
}

/**
 * SQL of several texts' hashes in hexadecimal digits, joined by `separator`: in a third of the time of one after another.
 * Only of texts that are neither '' nor hashed already.
 */
export function encodeAllSql(encoding: HexEncoding, textSqls: readonly string[], separator: string): string {
  const hashes = textSqls.map((text) => `hex(${digestSql(encoding, text)})`);
  return `lower(concat(${hashes.join(`, '${separator}', `)}))`;
}
