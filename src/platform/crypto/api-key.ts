import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';

const PREFIX = 'hub_';
const KEY_BYTES = 32;

/** A new API key, shown once: `hub_` and 256 random bits as base64url, 47 characters. */
export function newApiKey(): string {
  return `${PREFIX}${randomBytes(KEY_BYTES).toString('base64url')}`;
}

/**
 * What is stored of an API key: its SHA-256 in lower-case hex. A plain hash is enough because the key
 * is 256 random bits; there is nothing to guess.
 */
export function hashApiKey(key: string): string {
  return createHash('sha256').update(key, 'utf8').digest('hex');
}

/** True where `key` hashes to `storedHash`; takes the same time wherever they differ. */
export function apiKeyMatches(key: string, storedHash: string): boolean {
  const expected = Buffer.from(storedHash, 'utf8');
  const actual = Buffer.from(hashApiKey(key), 'utf8');
  return expected.length === actual.length && timingSafeEqual(expected, actual);
}
