import { hkdfSync } from 'node:crypto';

/** Bytes of every key of the hub. */
export const KEY_BYTES = 32;

/** The key for one `purpose`, by HKDF-SHA-256: knowing one derived key says nothing of another. */
export function deriveKey(masterKey: Buffer, purpose: string): Buffer {
  if (masterKey.length !== KEY_BYTES) {
    throw new RangeError(`The secret key has ${masterKey.length} bytes, expected ${KEY_BYTES}.`);
  }
  return Buffer.from(hkdfSync('sha256', masterKey, '', `audience-hub/${purpose}/v1`, KEY_BYTES));
}
