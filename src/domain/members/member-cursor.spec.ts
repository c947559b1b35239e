import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
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

  it('goes on by several members as by one after the other', () => {
    // Owners and others, across the halves of mpids, with values that are empty, short and long.
    const someone = fc.record({
      mpid: fc.oneof(
        fc.bigInt({ min: -40n, max: 40n }),
        fc.bigInt({ min: -8n, max: 8n }).map((halves) => halves * 2n ** 31n),
      ),
      isOwner: fc.boolean(),
      values: fc.array(fc.constantFrom('', 'a', 'x'.repeat(127), 'x'.repeat(128)), { maxLength: 3 }),
      attribute: fc.boolean(),
    });
    const people = fc
      .uniqueArray(someone, { selector: ({ mpid }) => mpid, maxLength: 30 })
      .map((all) => all.sort((one, other) => (one.mpid < other.mpid ? -1 : 1)));
    const property = fc.property(people, fc.boolean(), fc.nat({ max: 4 }), (all, hasAttributes, most) => {
      const rows: MemberRows = {
        ...rowsOf(
          all.filter(({ isOwner }) => isOwner).map(({ mpid }) => String(mpid)),
          [],
        ),
        identities: Buffer.concat(
          all.flatMap(({ mpid, values }) => values.map((value) => row(String(mpid), 0, value))),
        ),
        attributes: Buffer.concat(
          all
            .filter(({ attribute }) => hasAttributes && attribute)
            .map(({ mpid }) => row(String(mpid), 0, 'a')),
        ),
      };
      const [quick, slow] = [new MemberCursor(rows), new MemberCursor(rows)];
      while (quick.next()) {
        expect(slow.next()).toBe(true);
        if (!quick.owns(quick.identities)) continue;
        const passed = quick.nextOwning(most);
        for (let one = 0; one < passed; one += 1) {
          expect(slow.next()).toBe(true);
          expect(slow.owns(slow.identities)).toBe(true);
        }
        expect(quick.position).toEqual(slow.position);
        expect([quick.mpid, quick.owns(quick.identities)]).toEqual([slow.mpid, true]);
      }
      expect(slow.next()).toBe(false);
    });
    fc.assert(property);
  });

  it.each([
    ['owners', ['1', '3', '2', '4'], ['1', '2', '3', '4']],
    ['owners who come twice', ['1', '2', '2', '3'], ['1', '2', '3']],
    ['identities', ['1', '2', '3', '4'], ['1', '3', '2', '4']],
    ['identities of others', ['1', '2', '4', '6'], ['1', '2', '4', '3', '6']],
  ])('goes on by nobody behind %s that are out of order', (_, owners, identities) => {
    const cursor = new MemberCursor(rowsOf(owners, identities));
    expect(() => {
      while (cursor.next()) cursor.nextOwning(9);
    }).toThrow(/another order/);
  });

  it('goes on by as many as it is told', () => {
    const mpids = ['1', '2', '3', '4', '5'];
    const cursor = new MemberCursor(rowsOf(mpids, mpids));
    cursor.next();
    expect([cursor.nextOwning(0), cursor.nextOwning(3), cursor.mpid]).toEqual([0, 3, '4']);
    expect([cursor.nextOwning(3), cursor.mpid, cursor.next()]).toEqual([1, '5', false]);
    const upper = ['4294967297', '4294967298', '4294967299'];
    expect(new MemberCursor(rowsOf(upper, upper)).nextOwning(3)).toBe(0);
  });
});
