import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { cycleMsOf, dueSlots, inSlicesSql, newestSlots, SLICES } from './slices.js';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const START = Date.UTC(2026, 0, 1);

/** A partner that remembers somebody for 72 days: each day of a cycle is a slice's. */
const EXPIRE_MS = 72 * DAY_MS;

describe('the slices of a cycle', () => {
  it('take turns: each has one slot a cycle, which is a third of what the partner remembers', () => {
    expect(cycleMsOf(EXPIRE_MS)).toBe(24 * DAY_MS);
    const newest = newestSlots(EXPIRE_MS, START);
    expect(Object.keys(newest).map(Number)).toEqual([...Array(SLICES).keys()]);
    const ages = Object.values(newest).map((slotMs) => (START - slotMs) / DAY_MS);
    expect(ages.map(Math.floor).toSorted((one, other) => one - other)).toEqual([...Array(SLICES).keys()]);
  });

  it('are those of the engine: numbers from 0, by a hash of the profile', () => {
    expect(inSlicesSql([0, 5])).toBe(`cityHash64(toInt64(mpid)) % ${SLICES} IN (0, 5)`);
  });

  it('are not due before they are known, then one after the other', () => {
    const done: Record<string, number> = {};
    const turns: number[] = [];
    for (let hour = 0; hour < 24 * 24; hour += 1) {
      const due = dueSlots(EXPIRE_MS, { sinceMs: START, done }, START + hour * HOUR_MS);
      turns.push(Object.keys(due).length);
      Object.assign(done, due);
    }
    expect(turns.reduce((sum, many) => sum + many)).toBeGreaterThanOrEqual(SLICES - 1);
    expect(Math.max(...turns)).toBe(1);
    expect(Object.keys(done).length).toBeGreaterThanOrEqual(SLICES - 1);
  });

  it('are made up once where their turns were missed, however many', () => {
    const after = START + 3 * 24 * DAY_MS;
    const due = dueSlots(EXPIRE_MS, { sinceMs: START, done: {} }, after);
    expect(Object.keys(due)).toHaveLength(SLICES);
    expect(dueSlots(EXPIRE_MS, { sinceMs: START, done: due }, after)).toEqual({});
  });

  it('come once a cycle each, whenever somebody looks', () => {
    const expire = fc.integer({ min: DAY_MS, max: 400 * DAY_MS });
    const waits = fc.array(fc.integer({ min: 1, max: 2 * DAY_MS }), { maxLength: 200 });
    fc.assert(
      fc.property(expire, waits, (expireMs, steps) => {
        const done: Record<string, number> = {};
        const times = new Map<string, number>();
        let nowMs = START;
        for (const step of steps) {
          nowMs += step;
          const due = dueSlots(expireMs, { sinceMs: START, done }, nowMs);
          for (const [slice, slotMs] of Object.entries(due)) {
            expect(slotMs).toBeLessThanOrEqual(nowMs);
            expect(slotMs).toBeGreaterThan(nowMs - cycleMsOf(expireMs));
            times.set(slice, (times.get(slice) ?? 0) + 1);
          }
          Object.assign(done, due);
        }
        const most = Math.ceil((nowMs - START) / cycleMsOf(expireMs));
        for (const many of times.values()) expect(many).toBeLessThanOrEqual(most);
      }),
    );
  });
});
