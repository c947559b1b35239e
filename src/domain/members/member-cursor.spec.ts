import { describe, expect, it } from '@jest/globals';
import { int64, row } from '../../../test/support/member-rows.js';
import { MemberCursor, memberObjects, type MemberRows } from './index.js';

/** 2^32: the least mpid whose upper half is not that of 0. */
const UPPER = '4294967296';

const rowsOf = (owners: readonly string[], identities: readonly string[], value = 'a'): MemberRows => ({
  owners: Buffer.concat(owners.map(int64)),
  identities: Buffer.concat(identities.map((mpid) => row(mpid, 0, value))),
  attributes: Buffer.alloc(0),
  types: ['email'],
  packed: [false],
  names: [],
});

describe('a cursor over members', () => {
  it('goes on behind the end that it was given, and has passed nothing by', () => {
    const cursor = new MemberCursor(rowsOf(['1', '2'], ['1', '2']));
    expect(cursor.next(8)).toBe(true);
    cursor.identities.next();
    expect(cursor.next(8)).toBe(false);
    expect(cursor.next()).toBe(true);
    expect([cursor.mpid, cursor.owns(cursor.identities)]).toEqual(['2', true]);
  });

  it('finds nobody where there are identities and no owners', () => {
    const cursor = new MemberCursor(rowsOf([], ['-1', '1']));
    expect(cursor.next()).toBe(false);
  });

  it('tells members apart whose mpids differ in one half only', () => {
    const rows = rowsOf(['-4294967295', '1', '4294967297'], ['-4294967295', '4294967297']);
    const run = { rows, start: { owner: 0, identity: 0, attribute: 0 }, end: rows.owners.length };
    expect(memberObjects(run).map(({ mpid }) => mpid)).toEqual(['-4294967295', '4294967297']);
  });

  // Where a length takes another byte, and where one of its bytes is 0.
  it.each([127, 128, 16_383, 16_384, 16_512, 2_097_152])('reads values of %i bytes', (size) => {
    const value = 'x'.repeat(size);
    const rows = rowsOf(['1', '2'], ['1', '2'], value);
    const run = { rows, start: { owner: 0, identity: 0, attribute: 0 }, end: rows.owners.length };
    const expected = ['1', '2'].map((mpid) => ({ mpid, identities: { email: [value] } }));
    expect(memberObjects(run)).toStrictEqual(expected);
  });

  it.each([
    ['owners', [UPPER, '5'], []],
    ['identities', ['1', UPPER], [UPPER, '5']],
  ])('refuses %s that are out of order in their upper halves', (_, owners, identities) => {
    const rows = rowsOf(owners, identities);
    const run = { rows, start: { owner: 0, identity: 0, attribute: 0 }, end: rows.owners.length };
    expect(() => memberObjects(run)).toThrow(/another order/);
  });
});
