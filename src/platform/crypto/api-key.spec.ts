import { describe, expect, it } from '@jest/globals';
import { apiKeyMatches, hashApiKey, newApiKey } from './index.js';

describe('API keys', () => {
  it('are hub_ and 256 random bits, never the same twice', () => {
    const keys = Array.from({ length: 100 }, () => newApiKey());
    expect(new Set(keys).size).toBe(100);
    for (const key of keys) expect(key).toMatch(/^hub_[A-Za-z0-9_-]{43}$/);
  });

  it('are stored as SHA-256 in hex', () => {
    expect(hashApiKey('abc')).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
  });

  it('match their own hash and no other', () => {
    const key = newApiKey();
    expect(apiKeyMatches(key, hashApiKey(key))).toBe(true);
    expect(apiKeyMatches(newApiKey(), hashApiKey(key))).toBe(false);
    expect(apiKeyMatches(key, '')).toBe(false);
  });
});
