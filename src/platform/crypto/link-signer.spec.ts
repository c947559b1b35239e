import { randomBytes } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { LinkSigner, SecretBox } from './index.js';

describe('LinkSigner', () => {
  const key = randomBytes(32);
  const signer = new LinkSigner(key);
  const path = '/api/v1/exports/7/download';
  const expiresAt = new Date('2026-05-01T12:00:00Z');
  const before = new Date('2026-05-01T11:59:59.999Z');

  it('opens its path until the time is up', () => {
    const link = signer.sign(path, expiresAt);
    expect(link.expires).toBe('1777636800');
    expect(new LinkSigner(key).verify(path, link, before)).toBe('valid');
    expect(signer.verify(path, link, expiresAt)).toBe('expired');
  });

  it('refuses another path, another time, another key and no signature', () => {
    const link = signer.sign(path, expiresAt);
    expect(signer.verify('/api/v1/exports/8/download', link, before)).toBe('forged');
    expect(signer.verify(path, { ...link, expires: '1977636800' }, before)).toBe('forged');
    expect(new LinkSigner(randomBytes(32)).verify(path, link, before)).toBe('forged');
    expect(signer.verify(path, { expires: link.expires }, before)).toBe('forged');
    expect(signer.verify(path, {}, before)).toBe('forged');
  });

  it('signs with another key than the one that seals secrets', () => {
    const box = new SecretBox(key);
    expect(() => box.open(`v1.${signer.sign(path, expiresAt).signature}`, path)).toThrow();
  });
});
