import { describe, expect, it } from '@jest/globals';
import { hashPassword, passwordMatches } from './password.js';

describe('a password', () => {
  it('is kept as a salted hash that opens for it alone', async () => {
    const stored = await hashPassword('correct horse battery staple');
    expect(stored).not.toContain('correct');
    expect(await passwordMatches('correct horse battery staple', stored)).toBe(true);
    expect(await passwordMatches('correct horse battery stapl', stored)).toBe(false);
    expect(await passwordMatches('', stored)).toBe(false);
  });

  it('has another hash each time', async () => {
    expect(await hashPassword('same-password')).not.toBe(await hashPassword('same-password'));
  });

  it('is the same however its accents are composed', async () => {
    expect(await passwordMatches('cafe\u0301-au-lait', await hashPassword('caf\u00e9-au-lait'))).toBe(true);
  });

  it('matches nothing where nobody has one', async () => {
    expect(await passwordMatches('', undefined)).toBe(false);
    expect(await passwordMatches('anything', undefined)).toBe(false);
  });
});
