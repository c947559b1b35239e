import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { judgeCount } from './judge-count.js';

const judged = (
  hub: number,
  partner: number,
  counting: Parameters<typeof judgeCount>[1] = {},
  settling = 0,
  unsure = 0,
) => judgeCount({ hub, partner, settling, unsure }, counting);

describe('two counts of the same list', () => {
  it('agree where they are equal, and nowhere else unless somebody says so', () => {
    expect(judged(100, 100)).toEqual({ verdict: 'agrees', tolerance: 0, difference: 0 });
    expect(judged(100, 99)).toEqual({ verdict: 'fewer', tolerance: 0, difference: -1 });
    expect(judged(100, 101)).toEqual({ verdict: 'more', tolerance: 0, difference: 1 });
  });

  it('may be apart by the larger of share and number', () => {
    const approximate = { toleranceShare: 0.1, toleranceCount: 1000 };
    expect(judged(500, 1400, approximate).verdict).toBe('agrees');
    expect(judged(50_000, 45_000, approximate)).toMatchObject({ verdict: 'agrees', tolerance: 5000 });
    expect(judged(50_000, 44_999, approximate).verdict).toBe('fewer');
  });

  it('may be apart by who has only just been sent', () => {
    expect(judged(100, 60, {}, 40).verdict).toBe('agrees');
    expect(judged(100, 59, {}, 40).verdict).toBe('fewer');
  });

  it('may be apart upwards by who was refused and may have been taken since', () => {
    expect(judged(100, 103, {}, 0, 3).verdict).toBe('agrees');
    expect(judged(100, 104, {}, 0, 3).verdict).toBe('more');
    expect(judged(100, 97, {}, 0, 3).verdict).toBe('fewer');
  });

  it('may be apart downwards where the partner counts people of its own, unless it has nobody', () => {
    expect(judged(9000, 4000, { of: 'matched' }).verdict).toBe('agrees');
    expect(judged(9000, 0, { of: 'matched' }).verdict).toBe('fewer');
    expect(judged(9000, 9001, { of: 'matched' }).verdict).toBe('more');
  });

  it('are never judged the worse for more tolerance, and the side is that of the difference', () => {
    const count = fc.nat({ max: 1_000_000 });
    fc.assert(
      fc.property(count, count, count, count, (hub, partner, settling, more) => {
        const [strict, lax] = [judged(hub, partner, {}, settling), judged(hub, partner, {}, settling + more)];
        if (strict.verdict === 'agrees') expect(lax.verdict).toBe('agrees');
        if (lax.verdict !== 'agrees') expect(lax.verdict).toBe(partner > hub ? 'more' : 'fewer');
        expect(strict.difference).toBe(partner - hub);
      }),
    );
  });
});
