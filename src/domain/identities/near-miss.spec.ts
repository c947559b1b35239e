import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { damerauLevenshtein, nearMissOf } from './near-miss.js';

describe('near misses', () => {
  it.each([
    ['Fist Name', 'first_name'],
    ['lsat_name', 'last_name'],
    ['emial', 'email'],
    ['Phnoe', 'phone'],
    ['Adress', 'street'],
    ['emai_sha256', 'email_sha256'],
  ])('%s probably means %s', (header, part) => {
    expect(nearMissOf(header)).toBe(part);
  });

  it.each(['email', 'age', 'City', 'zap', 'favourite colour', ''])('%j is none', (header) => {
    expect(nearMissOf(header)).toBeUndefined();
  });

  it('are measured by a symmetric distance that is zero only between equals', () => {
    const word = fc.string({ unit: fc.constantFrom('a', 'b', 'c'), maxLength: 8 });
    fc.assert(
      fc.property(word, word, (a, b) => {
        const distance = damerauLevenshtein(a, b);
        expect(distance).toBe(damerauLevenshtein(b, a));
        expect(distance === 0).toBe(a === b);
        expect(distance).toBeGreaterThanOrEqual(Math.abs(a.length - b.length));
        expect(distance).toBeLessThanOrEqual(Math.max(a.length, b.length));
      }),
    );
    expect(damerauLevenshtein('ab', 'ba')).toBe(1);
    expect(damerauLevenshtein('kitten', 'sitting')).toBe(3);
  });
});
