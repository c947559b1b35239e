import { createCipheriv, createDecipheriv, createHmac, randomBytes } from 'node:crypto';
import { deriveKey } from './derive-key.js';

/** The envelope's version; a change of algorithm gets a new one, and old envelopes stay readable. */
const VERSION = 'v1';
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** Thrown where an envelope cannot be opened. Says nothing of its content. */
export class SealedSecretError extends Error {
  override readonly name = 'SealedSecretError';
}

/**
 * Encrypts what must not lie readable in the database: AES-256-GCM, the id of the record as additional
 * data, so that an envelope copied to another record does not open there.
 */
export class SecretBox {
  readonly #key: Buffer;
  readonly #fingerprintKey: Buffer;

  /** @param masterKey 32 bytes; the key of the envelopes is derived from it. */
  constructor(masterKey: Buffer) {
    this.#key = deriveKey(masterKey, 'secret-box');
    this.#fingerprintKey = deriveKey(masterKey, 'fingerprint');
  }

  /** 32 hex digits, the same for the same text; without the hub's key nobody can tell or try what it was. */
  fingerprint(plain: string): string {
    return createHmac('sha256', this.#fingerprintKey).update(plain).digest('hex').slice(0, 32);
  }

  /** `v1.<base64url of nonce, tag and ciphertext>`. Sealing the same text twice gives two envelopes. */
  seal(plain: string, recordId: string): string {
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv('aes-256-gcm', this.#key, nonce, { authTagLength: TAG_BYTES });
    cipher.setAAD(Buffer.from(recordId, 'utf8'));
    const sealed = Buffer.concat([cipher.update(plain, 'utf8'), cipher.final()]);
    return `${VERSION}.${Buffer.concat([nonce, cipher.getAuthTag(), sealed]).toString('base64url')}`;
  }

  /**
   * The text sealed for `recordId`.
   *
   * @throws SealedSecretError where the envelope was altered, belongs to another record or another key.
   */
  open(envelope: string, recordId: string): string {
    const [version, body, ...rest] = envelope.split('.');
    const bytes = Buffer.from(body ?? '', 'base64url');
    if (version !== VERSION || rest.length > 0 || bytes.length < NONCE_BYTES + TAG_BYTES) {
      throw new SealedSecretError(`The secret of ${recordId} is no ${VERSION} envelope. Enter it again.`);
    }
    const nonce = bytes.subarray(0, NONCE_BYTES);
    const decipher = createDecipheriv('aes-256-gcm', this.#key, nonce, { authTagLength: TAG_BYTES });
    decipher.setAAD(Buffer.from(recordId, 'utf8'));
    decipher.setAuthTag(bytes.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES));
    try {
      const opened = decipher.update(bytes.subarray(NONCE_BYTES + TAG_BYTES));
      return Buffer.concat([opened, decipher.final()]).toString('utf8');
    } catch {
      throw new SealedSecretError(
        `The secret of ${recordId} does not open with this key. Start the hub with the HUB_SECRET_KEY (or ` +
          'secret.key) it was stored with, or enter the secret again.',
      );
    }
  }
}
