import { describe, expect, it } from '@jest/globals';
import { volatility } from './metrics.js';

describe('volatility', () => {
  it('is the share of members that came or went', () => {
    expect(volatility({ adds: 2, drops: 3, size: 50 })).toBe(0.1);
  });

  it('is 0 for an empty audience', () => {
    expect(volatility({ adds: 0, drops: 7, size: 0 })).toBe(0);
  });
});
