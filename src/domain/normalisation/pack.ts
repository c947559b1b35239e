import type { IdentityEncoding, IdentityForm } from '../../kit/index.js';
import { digestBytesOf, digestSql, type HexEncoding, type Writing } from './encode.js';

/** Whether the values of a form may come packed. */
export function isPackable(form: IdentityForm): form is IdentityForm & { encoding: HexEncoding } {
  return form.encoding !== 'raw' && form.encoding !== 'sha256_base64';
}

/** SQL of the byte in front of a text. */
const TEXT_FOLLOWS = "'\\0'";

/** SQL of packed values, which `domain/members` reads: see its `packed-value.ts`. */
export const PACKED: Writing = {
  front: [TEXT_FOLLOWS],
  encoded: (encoding, textSql) =>
    encoding === 'raw' ? packedTextSql(textSql) : packedHashesSql(encoding, [textSql]),
  passedOn: (_, hashSql) => packedTextSql(hashSql),
  all: packedHashesSql,
};

function packedTextSql(textSql: string): string {
  return `concat(${TEXT_FOLLOWS}, ${textSql})`;
}

function packedHashesSql(encoding: Exclude<IdentityEncoding, 'raw'>, textSqls: readonly string[]): string {
  const digests = textSqls.map((text) => digestSql(encoding, text));
  return `concat(char(${digestBytesOf(encoding)}), ${digests.join(', ')})`;
}
