import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { isMpid } from './mpid.js';

describe('isMpid', () => {
  it('takes every signed 64-bit number', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), (mpid) => isMpid(String(mpid))),
    );
  });

  it.each([
    '',
    ' 1',
    '1.0',
    '+1',
    '-0',
    '007',
    'x',
    '9223372036854775808',
    '-9223372036854775809',
    '1e3',
    5,
    null,
  ])('refuses %p', (text) => expect(isMpid(text)).toBe(false));
});
