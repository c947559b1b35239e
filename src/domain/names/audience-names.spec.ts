import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { parseAudienceName, parseTag, partnerAudienceName } from './audience-names.js';

describe('audience names', () => {
  it('are trimmed and have 1 to 255 characters, emoji counting as one', () => {
    expect(parseAudienceName('  Potential Parisians ')).toEqual({ name: 'Potential Parisians' });
    expect(parseAudienceName('🎉'.repeat(255))).toEqual({ name: '🎉'.repeat(255) });
    expect(parseAudienceName('x'.repeat(256))).toMatchObject({ refused: { code: 'NAME_TOO_LONG' } });
    expect(parseAudienceName(' \t ')).toMatchObject({ refused: { code: 'NAME_EMPTY' } });
  });

  it.each(['a\u0000b', 'a\nb', 'a\u2028b', 'a\ud800b'])('hold no control characters: %j', (raw) => {
    expect(parseAudienceName(raw)).toMatchObject({ refused: { code: 'NAME_UNPRINTABLE' } });
  });

  it('that were accepted are accepted again, unchanged', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (raw) => {
        const parsed = parseAudienceName(raw);
        if ('name' in parsed) expect(parseAudienceName(parsed.name)).toEqual(parsed);
        else expect(parsed.refused.message).not.toContain(raw.trim() || '\u0000');
      }),
    );
  });
});

describe('tags', () => {
  it('have 1 to 18 characters', () => {
    expect(parseTag(' Retargeting ')).toEqual({ tag: 'Retargeting' });
    expect(parseTag('x'.repeat(18))).toEqual({ tag: 'x'.repeat(18) });
    expect(parseTag('x'.repeat(19))).toMatchObject({ refused: { code: 'TAG_TOO_LONG' } });
    expect(parseTag('')).toMatchObject({ refused: { code: 'TAG_EMPTY' } });
  });
});

describe('the name partners see', () => {
  it('is the external name, else the name, with the variant behind it', () => {
    expect(partnerAudienceName({ name: 'A' })).toBe('A');
    expect(partnerAudienceName({ name: 'A', externalName: 'B' })).toBe('B');
    expect(partnerAudienceName({ name: 'A', externalName: null, variantName: 'Control' })).toBe(
      'A - Control',
    );
  });
});
