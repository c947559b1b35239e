import { describe, expect, it } from '@jest/globals';
import { freeBuffer } from './free-buffer.js';

describe('freeBuffer', () => {
  it('gives the memory of a large buffer back at once', () => {
    const rows = Buffer.allocUnsafeSlow(32 * 2 ** 20);
    const part = rows.subarray(0, 10);
    const before = process.memoryUsage().external;
    freeBuffer(rows);
    expect(before - process.memoryUsage().external).toBeGreaterThan(31 * 2 ** 20);
    expect([rows.length, part.length]).toEqual([0, 0]);
  });

  it('leaves alone what is small, or only a part of a larger buffer', () => {
    const large = Buffer.allocUnsafeSlow(4 * 2 ** 20);
    for (const rows of [Buffer.from('small'), large.subarray(2 ** 20)]) {
      const { length } = rows;
      freeBuffer(rows);
      expect(rows.length).toBe(length);
    }
  });
});
