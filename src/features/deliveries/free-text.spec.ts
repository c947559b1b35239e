import { describe, expect, it } from '@jest/globals';
import { freeText } from './free-text.js';

describe('freeText', () => {
  it('gives the memory of a large text back at once, a line above it included', () => {
    const answer = Buffer.allocUnsafeSlow(32 * 2 ** 20);
    const text = answer.subarray(7);
    const part = text.subarray(0, 10);
    const before = process.memoryUsage().external;
    freeText(text);
    expect(before - process.memoryUsage().external).toBeGreaterThan(31 * 2 ** 20);
    expect([text.length, part.length]).toEqual([0, 0]);
  });

  it('leaves alone what is small, or only a part of a larger buffer', () => {
    const large = Buffer.allocUnsafeSlow(4 * 2 ** 20);
    for (const text of [Buffer.from('small'), large.subarray(2 ** 20)]) {
      const { length } = text;
      freeText(text);
      expect(text.length).toBe(length);
    }
  });
});
