import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { allowedNames, nameProblems, namingOf } from './naming.js';

const rule = {
  maxLength: 5,
  forbidden: '[^a-z_ ]',
  pattern: '^[a-z]',
  reserved: ['Email'],
  allowed: 'has small letters, spaces and _ only',
};

describe('a rule for names', () => {
  it('says everything that is wrong with one, and what is allowed', () => {
    expect(nameProblems(rule, 'ab c')).toEqual([]);
    expect(nameProblems(rule, '_ÄÖ7\u0007!')).toEqual([
      'has 6 characters',
      'holds Ä, Ö, 7, U+0007, !',
      'is not of the form that is expected',
    ]);
    expect(nameProblems({ maxLength: 9, reserved: rule.reserved }, 'EMAIL')).toEqual([
      'is a word of the partner’s own',
    ]);
    expect(nameProblems({ maxLength: 9, forbidden: ' ' }, 'a b  c')).toEqual(['holds a space']);
    expect(allowedNames(rule)).toBe(
      'A name may have at most 5 characters, and has small letters, spaces and _ only.',
    );
    expect(allowedNames({ maxLength: 9, forbidden: '[/]' })).toContain('and no character of [/].');
    expect(allowedNames({ maxLength: 9 })).toBe('A name may have at most 9 characters.');
  });

  it('counts code points, and lets through what it does not forbid', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 12 }), (name) => {
        const fits = Array.from(name).length <= 5;
        expect(nameProblems({ maxLength: 5 }, name)).toHaveLength(fits ? 0 : 1);
      }),
    );
  });

  it('may depend on the settings', () => {
    const narrow = { maxLength: 1 };
    expect(namingOf({ naming: rule }, {})).toBe(rule);
    expect(namingOf({ naming: rule, namingFor: () => narrow }, {})).toBe(narrow);
    expect(namingOf({}, {})).toBeUndefined();
  });
});
