import type { IdentityForm } from '../../kit/index.js';
import { isShort, letSql } from '../sql-text.js';
import { digestSql, hexDigitsOf, isHashedSql, type HexEncoding } from './encode.js';

/*
 * SQL of packed values, which `domain/members` reads: see its `packed-value.ts`. '' stays '' here too.
 */

/** Whether the values of a form may come packed. */
export function isPackable(form: IdentityForm): form is IdentityForm & { encoding: HexEncoding } {
  return form.encoding !== 'raw' && form.encoding !== 'sha256_base64';
}

/** SQL of the byte in front of a text. */
export const TEXT_FOLLOWS = "'\\0'";

/** A text that is not ''. */
export function packTextSql(textSql: string): string {
  return `concat(${TEXT_FOLLOWS}, ${textSql})`;
}

/** The hashes of texts that are not ''. */
export function packHashesSql(encoding: HexEncoding, textSqls: readonly string[]): string {
  const digests = textSqls.map((text) => digestSql(encoding, text));
  return `concat(char(${hexDigitsOf(encoding) / 2}), ${digests.join(', ')})`;
}

/** A text's hash; what is such a hash already is passed on. `encoding` 'raw': the text as it is. */
export function packOnceSql(encoding: HexEncoding | 'raw', textSql: string, mayBeHashed: boolean): string {
  const out = isShort(textSql) ? textSql : 'hub_out';
  const cases =
    encoding === 'raw'
      ? [packTextSql(out)]
      : [
          ...(mayBeHashed ? [`${isHashedSql(encoding, out)}, ${packTextSql(out)}`] : []),
          packHashesSql(encoding, [out]),
        ];
  const packed = `multiIf(${[`${out} = '', ''`, ...cases].join(', ')})`;
  return out === textSql ? packed : letSql({ hub_out: textSql }, packed);
}
