import { createHmac, timingSafeEqual } from 'node:crypto';
import { deriveKey } from './derive-key.js';

/** What {@link LinkSigner.verify} says of a link. */
export type LinkVerdict = 'valid' | 'expired' | 'forged';

/** Query parameters of a signed link. */
export interface LinkSignature {
  /** Unix seconds until which the link works. */
  expires: string;
  signature: string;
}

/** Signs paths, so that whoever holds the link may read it until it expires, and nothing else. */
export class LinkSigner {
  readonly #key: Buffer;

  /** @param masterKey 32 bytes; the key of the signatures is derived from it. */
  constructor(masterKey: Buffer) {
    this.#key = deriveKey(masterKey, 'links');
  }

  /** The query parameters that open `path` until `expiresAt` (rounded down to a second). */
  sign(path: string, expiresAt: Date): LinkSignature {
    const expires = String(Math.floor(expiresAt.getTime() / 1000));
    return { expires, signature: this.#signature(path, expires).toString('base64url') };
  }

  /** Judges a link; the signature is checked before the time, so that a forged link learns nothing. */
  verify(path: string, given: Partial<LinkSignature>, now: Date): LinkVerdict {
    const { expires = '', signature = '' } = given;
    const expected = this.#signature(path, expires);
    const actual = Buffer.from(signature, 'base64url');
    const genuine = actual.length === expected.length && timingSafeEqual(actual, expected);
    if (!genuine || !/^\d{1,12}$/.test(expires)) return 'forged';
    return now.getTime() < Number(expires) * 1000 ? 'valid' : 'expired';
  }

  #signature(path: string, expires: string): Buffer {
    return createHmac('sha256', this.#key).update(`${expires}\n${path}`, 'utf8').digest();
  }
}
