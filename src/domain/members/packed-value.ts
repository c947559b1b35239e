import { digestsText } from '../../kit/index.js';

/*
 * Values that are hashes come packed from the engine, which spares it writing digits, and half the bytes: a packed value
 * begins with a byte. Where that is 0, a text follows. Else it says how long a digest is, and digests follow, which stand
 * for their hexadecimal digits, with '|' between. SQL twin: `domain/normalisation/pack.ts`.
 */

/** The text that a value stands for, in UTF-8. `digestBytes`: of each digest; 0: the value is a text. */
export function textOf(bytes: Buffer, from: number, to: number, digestBytes: number): Buffer {
  return digestBytes === 0
    ? bytes.subarray(from, to)
    : Buffer.from(digestsText(bytes, from, to, digestBytes), 'latin1');
}

/** Bytes of the text that a value stands for. */
export function textLength(from: number, to: number, digestBytes: number): number {
  const bytes = to - from;
  return digestBytes === 0 ? bytes : 2 * bytes + bytes / digestBytes - 1;
}
