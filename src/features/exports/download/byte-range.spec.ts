import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { parseRange } from './byte-range.js';

describe('parseRange', () => {
  it.each([
    ['bytes=0-99', { offsetBytes: 0, lengthBytes: 100 }],
    ['bytes=900-', { offsetBytes: 900, lengthBytes: 100 }],
    ['bytes=-10', { offsetBytes: 990, lengthBytes: 10 }],
    ['bytes=-5000', { offsetBytes: 0, lengthBytes: 1000 }],
    ['bytes=990-5000', { offsetBytes: 990, lengthBytes: 10 }],
    ['bytes=1000-', 'unsatisfiable'],
    ['bytes=-0', 'unsatisfiable'],
    [undefined, 'whole'],
    ['bytes=-', 'whole'],
    ['bytes=9-3', 'whole'],
    ['bytes=0-1,5-6', 'whole'],
    ['pages=1-2', 'whole'],
  ])('reads %s of 1,000 bytes', (header, expected) => {
    expect(parseRange(header, 1000)).toEqual(expected);
  });

  it('never leaves the file', () => {
    const edge = fc.option(fc.nat(), { nil: '' as const });
    fc.assert(
      fc.property(edge, edge, fc.nat(), (first, last, sizeBytes) => {
        const range = parseRange(`bytes=${first}-${last}`, sizeBytes);
        if (typeof range === 'string') return;
        expect(range.lengthBytes).toBeGreaterThan(0);
        expect(range.offsetBytes + range.lengthBytes).toBeLessThanOrEqual(sizeBytes);
      }),
    );
  });
});
