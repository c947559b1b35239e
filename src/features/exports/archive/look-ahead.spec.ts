import { describe, expect, it } from '@jest/globals';
import { until } from '../../../../test/support/until.js';
import { lookAhead } from './look-ahead.js';

async function* counting(made: number[], upTo: number): AsyncGenerator<number, void> {
  for (let value = 1; value <= upTo; value += 1) {
    made.push(value);
    yield Promise.resolve(value);
  }
}

describe('lookAhead', () => {
  it('hands out everything in order, and is ahead by its depth and no more', async () => {
    const made: number[] = [];
    const values = lookAhead(counting(made, 5), 2);
    expect((await values.next()).value).toBe(1);
    await until('the next two are made', () => made.length === 3);
    expect((await values.next()).value).toBe(2);
    const rest: number[] = [];
    for await (const value of values) rest.push(value);
    expect(rest).toEqual([3, 4, 5]);
    expect(made).toEqual([1, 2, 3, 4, 5]);
  });

  it('throws what the source throws, after what came before it', async () => {
    async function* failing(): AsyncGenerator<number, void> {
      yield Promise.resolve(1);
      throw new Error('no more');
    }
    const values = lookAhead(failing(), 3);
    expect((await values.next()).value).toBe(1);
    await expect(values.next()).rejects.toThrow('no more');
  });

  it('lets the source end when it is left early', async () => {
    let ended = false;
    async function* source(): AsyncGenerator<number, void> {
      try {
        for (;;) yield Promise.resolve(0);
      } finally {
        ended = true;
      }
    }
    for await (const value of lookAhead(source(), 2)) if (value === 0) break;
    expect(ended).toBe(true);
  });
});
