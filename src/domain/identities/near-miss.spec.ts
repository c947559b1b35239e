import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { damerauLevenshtein, nearMissesIn, nearMissOf } from './near-miss.js';

describe('near misses', () => {
  it.each([
    ['Fist Name', 'first_name'],
    ['lsat_name', 'last_name'],
    ['emial', 'email'],
    ['Phnoe', 'phone'],
    ['Adress', 'street'],
    ['emai_sha256', 'email_sha256'],
    ['emai', 'email'],
    ['Frist Nmae', 'first_name'],
    // nearer than SHA-256, and as near as SHA-512, which stands behind
    ['email_sha51', 'email_sha1'],
    [`Fist${' '.repeat(112)}Name`, 'first_name'],
  ])('%s probably means %s', (header, part) => {
    expect(nearMissOf(header)).toBe(part);
  });

  it.each(['email', 'age', 'City', 'zap', 'npix', 'sirnome', 'sirnamex', 'favourite colour', ''])(
    '%j is none',
    (header) => {
      expect(nearMissOf(header)).toBeUndefined();
    },
  );

  it('are searched in so much of a header as files have, and in no cell that is a text', () => {
    const header = [...Array.from({ length: 199 }, () => 'note'), 'Fist Name', 'Lsat Name'];
    expect(nearMissesIn(header)).toStrictEqual([{ column: 199, part: 'first_name' }]);
    expect(nearMissOf(`Fist${' '.repeat(113)}Name`)).toBeUndefined();
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
    expect(damerauLevenshtein('ab', 'bc')).toBe(2);
    expect(damerauLevenshtein('ab', 'ca')).toBe(2);
    expect(damerauLevenshtein('xab', 'xba')).toBe(1);
  });
});
