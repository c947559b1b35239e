import { describe, expect, it } from '@jest/globals';
import type { RejectedMember, UnnamedRejects } from '../../kit/index.js';
import { batchIdOf } from './batch-id.js';
import { checkedRejects } from './batch-result.js';

const reason = { code: 'BAD', message: 'is not known' };
const at = (...indexes: number[]): RejectedMember[] => indexes.map((index) => ({ index, ...reason }));
const some = (...counts: number[]): UnnamedRejects[] =>
  counts.map((count) => ({ count, code: 'UNKNOWN', message: 'nobody was named' }));

/** Of a batch of three. */
const check = (rejected: RejectedMember[], unnamed?: UnnamedRejects[]) =>
  checkedRejects({ status: 'done', rejected, ...(unnamed ? { unnamed } : {}) }, 3, 'spec');

describe('the rejects of a batch', () => {
  it('are those that the plugin names, from the first to the last', () => {
    expect(check(at(0, 2))).toStrictEqual({ rejected: at(0, 2), unnamed: [] });
    expect(check([])).toStrictEqual({ rejected: [], unnamed: [] });
    expect(check(at(0, 1, 2), [])).toStrictEqual({ rejected: at(0, 1, 2), unnamed: [] });
  });

  it.each([
    ['before the batch', at(-1), -1],
    ['behind the batch', at(3), 3],
    ['between members', at(0.5), 0.5],
    ['twice', at(1, 1), 1],
  ])('are not believed %s', (_, rejected, index) => {
    expect(() => check(rejected)).toThrow(
      `The plugin spec named the rejected index ${index} of a batch of 3 members; expected each index once, from 0 to 2.`,
    );
  });

  it('may be unnamed, one or more for a reason, as many as are left', () => {
    expect(check(at(1), some(1))).toStrictEqual({ rejected: at(1), unnamed: some(1) });
    expect(check([], some(1, 1))).toStrictEqual({ rejected: [], unnamed: some(1, 1) });
    expect(check([], some(1, 2))).toStrictEqual({ rejected: [], unnamed: some(1, 2) });
  });

  it.each([
    ['none', some(0), 0],
    ['half of one', some(1.5), 1.5],
    ['one reason without any', some(1, 0), 1],
    ['more than are left', some(1, 2), 3],
  ])('are not believed where they are unnamed and %s', (_, unnamed, count) => {
    expect(() => check(at(0), unnamed)).toThrow(
      `The plugin spec told of ${count} unnamed rejects of a batch of 3 members; expected at least 1 each, and 2 at most.`,
    );
  });

  it('are known by name where all that are left were refused for one reason', () => {
    const { count: _, ...unknown } = some(2)[0] as UnnamedRejects;
    expect(check(at(1), some(2))).toStrictEqual({
      rejected: [...at(1), { index: 0, ...unknown }, { index: 2, ...unknown }],
      unnamed: [],
    });
  });
});

describe('the id of a batch', () => {
  const batch = {
    connectionId: 'c-1',
    fromVersion: 1,
    toVersion: 2,
    operation: 'add',
    firstMpid: '-7',
    lastMpid: '9',
  };

  it('is the same for the same batch, whether no run is named or an empty one', () => {
    expect(batchIdOf(batch)).toBe('7d384a376ae8bf2565125139c6c003a5');
    expect(batchIdOf({ ...batch, run: '' })).toBe(batchIdOf(batch));
  });

  it.each([
    { connectionId: 'c-2' },
    { fromVersion: 0 },
    { toVersion: 3 },
    { operation: 'remove' },
    { firstMpid: '-6' },
    { lastMpid: '8' },
    { run: 'run-1' },
  ])('is another one with %o', (change) => {
    expect(batchIdOf({ ...batch, ...change })).toMatch(/^[0-9a-f]{32}$/);
    expect(batchIdOf({ ...batch, ...change })).not.toBe(batchIdOf(batch));
  });

  it('tells runs apart', () => {
    expect(batchIdOf({ ...batch, run: 'run-1' })).not.toBe(batchIdOf({ ...batch, run: 'run-2' }));
  });
});
