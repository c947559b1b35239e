import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { maskValue } from './mask.js';

describe('a masked value', () => {
  it.each([
    ['', ''],
    ['jane@example.com', 'j***@e***.com'],
    ['jo@ab.co', '***@***.co'],
    [' joe@abc.com ', 'j***@a***.com'],
    ['a@jane@example.com', 'a***(18)'],
    ['jane@example.com1', 'j***(17)'],
    ['+12125550123', '+***(12)'],
    ['ab', '***(2)'],
    ['\0\0\0\0', '***(4)'],
    ['a@example', 'a***(9)'],
  ])('of %j is %j', (text, masked) => {
    expect(maskValue(text)).toBe(masked);
  });

  it('never tells the value', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: 'binary', minLength: 1 }), fc.emailAddress()), (text) => {
        const masked = maskValue(text);
        expect(masked).not.toBe(text);
        expect(masked.length).toBeLessThan(40);
        if (text.length > 8) expect(masked).not.toContain(text.slice(0, 4));
      }),
    );
  });
});
