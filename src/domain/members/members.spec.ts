import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { anyMembers, sentOf } from '../../../test/support/any-members.js';
import { int64, memberRowsOf, row } from '../../../test/support/member-rows.js';
import {
  JsonText,
  rowsOfObjects,
  type OutputMember,
  type RowColumn,
  type RowsJson,
} from '../../kit/index.js';
import {
  addMembers,
  bytesOf,
  MemberCursor,
  memberObjects,
  rowsOfRuns,
  MemberValues,
  type MemberRows,
  type MemberRun,
} from './index.js';

/** With room for some of the text in front, for none, or for more than all. */
function jsonOf(runs: readonly MemberRun[], front = '', back = '', room = 0): Buffer {
  const text = new JsonText(undefined, room);
  addMembers(text, runs);
  return text.take(front, back);
}

const COLUMNS: readonly RowColumn[] = [
  { type: 'email', empty: '""' },
  { type: 'phone', hasParts: true, empty: '"",""', behind: ',"us"' },
  { type: 'customer_id', empty: '"none"' },
];
/** Arrays of rows as objects, and whose they are. */
const read = (all: Iterable<RowsJson | undefined>) =>
  [...all].flatMap((rows) =>
    rows === undefined
      ? []
      : [{ ...rows, data: JSON.parse(rows.data.take().toString('utf8')) as string[][] }],
  );
const whole = (rows: MemberRows): MemberRun => ({
  rows,
  start: { owner: 0, identity: 0, attribute: 0 },
  end: rows.owners.length,
});
/** Bytes of the first member. */
const sizeOf = (rows: MemberRows) => {
  const cursor = new MemberCursor(rows);
  cursor.next();
  return bytesOf(cursor, new MemberValues());
};
const parsed = (json: Buffer) => JSON.parse(json.toString('utf8')) as OutputMember[];
const inOrder = (members: readonly OutputMember[]) => members.map(({ mpid }) => mpid);

describe('the rows of members', () => {
  it('become the members they are of, as JSON and as objects, without those who have no identity', () => {
    fc.assert(
      fc.property(anyMembers, (members) => {
        const rows = memberRowsOf(members);
        const expected = sentOf(members);
        expect(parsed(jsonOf([whole(rows)]))).toEqual(expected);
        expect(memberObjects(whole(rows))).toEqual(expected);
      }),
      { numRuns: 300 },
    );
  });

  it('become rows of columns, in arrays of so many, as objects do', () => {
    fc.assert(
      fc.property(anyMembers, fc.integer({ min: 1, max: 9 }), fc.nat(), (members, most, cut) => {
        const expected = rowsOfObjects(sentOf(members), COLUMNS, { most });
        const run = whole(memberRowsOf(members));
        const cursor = new MemberCursor(run.rows);
        for (let before = cut % (members.length || 1); before >= 0; before -= 1) cursor.next();
        const runs = [
          { ...run, end: cursor.owner },
          { ...run, start: cursor.position },
        ];
        expect(read(rowsOfRuns(runs, COLUMNS, most, () => new JsonText()))).toEqual(read(expected));
      }),
      { numRuns: 300 },
    );
  });

  it('are read from any member up to any other one', () => {
    fc.assert(
      fc.property(anyMembers, fc.nat(), fc.nat(), (members, one, other) => {
        const rows = memberRowsOf(members);
        const cuts = [one, other].map((cut) => cut % (members.length + 1)).sort((a, b) => a - b);
        const [from = 0, to = 0] = cuts;
        const cursor = new MemberCursor(rows);
        for (let index = 0; index <= from; index += 1) cursor.next();
        if (from === members.length) return;
        const run = { rows, start: cursor.position, end: 8 * to };
        const expected = sentOf(members.slice(from, to));
        expect(memberObjects(run)).toEqual(expected);
        const runs = [run, { ...run, end: run.start.owner }];
        expect(parsed(jsonOf(runs))).toEqual(expected);
      }),
    );
  });

  it('of people who are no owners are passed by', () => {
    fc.assert(
      fc.property(anyMembers, fc.array(fc.boolean(), { minLength: 12, maxLength: 12 }), (members, chosen) => {
        const all = memberRowsOf(members);
        const owners = members.filter((_, index) => chosen[index]);
        const rows = { ...all, owners: Buffer.concat(owners.map(({ mpid }) => int64(mpid))) };
        expect(memberObjects(whole(rows))).toEqual(sentOf(owners));
      }),
    );
  });

  it('may come in any order within a member, and are put in that of their places and bytes', () => {
    const identities = [
      row('7', 1, 'b'),
      row('7', 0, 'z'),
      row('7', 1, 'a'),
      row('7', 1, 'b'),
      row('7', 0, 'é'),
    ];
    const rows: MemberRows = {
      owners: int64('7'),
      identities: Buffer.concat(identities),
      attributes: Buffer.alloc(0),
      types: ['email', 'phone'],
      packed: [false, false],
      names: [],
    };
    const expected = [{ mpid: '7', identities: { email: ['z', 'é'], phone: ['a', 'b'] } }];
    expect(memberObjects(whole(rows))).toEqual(expected);
    expect(parsed(jsonOf([whole(rows)]))).toEqual(expected);
  });

  it('of two places of one type are one list, in which a value stands once', () => {
    const identities = [
      row('7', 1, 'a'),
      row('7', 0, 'c'),
      row('7', 0, 'a'),
      row('7', 1, 'b'),
      row('7', 2, 'b'),
    ];
    const rows: MemberRows = {
      owners: int64('7'),
      identities: Buffer.concat(identities),
      attributes: Buffer.alloc(0),
      types: ['email', 'email', 'phone'],
      packed: [false, false, false],
      names: [],
    };
    const expected = [{ mpid: '7', identities: { email: ['a', 'c', 'b'], phone: ['b'] } }];
    expect(memberObjects(whole(rows))).toEqual(expected);
    expect(jsonOf([whole(rows)]).toString()).toBe(JSON.stringify(expected));
  });

  it('that are hashes come packed or as texts, and nobody can tell which', () => {
    const anyDigest = fc.uint8Array({ minLength: 16, maxLength: 16 }).map((bytes) => Buffer.from(bytes));
    const anyHash = fc.record({
      place: fc.constantFrom(0, 1),
      digests: fc.array(fc.oneof(anyDigest, fc.constant(Buffer.alloc(16, 7))), {
        minLength: 1,
        maxLength: 3,
      }),
      isPacked: fc.boolean(),
    });
    const textOf = (digests: readonly Buffer[]) => digests.map((one) => one.toString('hex')).join('|');
    fc.assert(
      fc.property(fc.array(anyHash, { minLength: 1, maxLength: 6 }), (hashes) => {
        const packed = hashes.map(({ place, digests, isPacked }) =>
          row(
            '5',
            place,
            Buffer.concat(
              isPacked ? [Buffer.of(16), ...digests] : [Buffer.of(0), Buffer.from(textOf(digests))],
            ),
          ),
        );
        const texts = hashes.map(({ place, digests }) => row('5', place, textOf(digests)));
        const [one, other] = [packed, texts].map((identities, index): MemberRows => ({
          owners: int64('5'),
          identities: Buffer.concat(identities),
          attributes: Buffer.alloc(0),
          types: ['email', 'email'],
          packed: [index === 0, index === 0],
          names: [],
        })) as [MemberRows, MemberRows];
        expect(memberObjects(whole(one))).toEqual(memberObjects(whole(other)));
        expect(jsonOf([whole(one)]).toString()).toBe(jsonOf([whole(other)]).toString());
        const [shown, others] = [one, other].map((rows) =>
          read(
            rowsOfRuns(
              [whole(rows)],
              [{ type: 'email', hasParts: true, empty: '' }],
              9,
              () => new JsonText(),
            ),
          ),
        );
        expect(shown).toEqual(others);
        expect(sizeOf(one)).toBe(sizeOf(other));
      }),
      { numRuns: 300 },
    );
  });

  it('that are no UTF-8 become U+FFFD', () => {
    const rows: MemberRows = {
      owners: int64('3'),
      identities: row('3', 0, Buffer.from([0x41, 0xff, 0x42])),
      attributes: Buffer.alloc(0),
      types: ['email'],
      packed: [false],
      names: [],
    };
    const expected = '[{"mpid":"3","identities":{"email":["A\uFFFDB"]}}]';
    expect(jsonOf([whole(rows)]).toString()).toBe(expected);
    expect(JSON.stringify(memberObjects(whole(rows)))).toBe(expected);
  });

  it('are counted in bytes, attributes included', () => {
    fc.assert(
      fc.property(anyMembers, (members) => {
        const cursor = new MemberCursor(memberRowsOf(members));
        const values = new MemberValues();
        for (const { identities, attributes = {} } of members) {
          expect(cursor.next()).toBe(true);
          const all = [...Object.values(identities).flat(), ...Object.values(attributes)];
          expect(bytesOf(cursor, values)).toBe(all.reduce((sum, value) => sum + Buffer.byteLength(value), 0));
        }
        expect(cursor.next()).toBe(false);
      }),
    );
  });

  it.each([
    ['owners', ['2', '1'], ['1', '2']],
    ['owners, one of them twice', ['1', '1'], ['1']],
    ['identities', ['1', '2', '3'], ['1', '3', '2']],
    ['identities of the last owner', ['1', '2'], ['1', '2', '1']],
  ])('out of order are refused: nobody is lost without a word (%s)', (_, owners, identities) => {
    const rows: MemberRows = {
      owners: Buffer.concat(owners.map(int64)),
      identities: Buffer.concat(identities.map((mpid) => row(mpid, 0, 'a'))),
      attributes: Buffer.alloc(0),
      types: ['email'],
      packed: [false],
      names: [],
    };
    expect(() => memberObjects(whole(rows))).toThrow(/another order/);
  });

  it('are written between two texts, whatever their size', () => {
    const many = Array.from({ length: 30_000 }, (_, index) => ({
      mpid: String(index),
      identities: { email: [`person${index}@example.com`, '"'.repeat(index % 50)] },
    }));
    const rows = memberRowsOf(many);
    const json = jsonOf([whole(rows)], '{"é":', '}').toString('utf8');
    expect(json.startsWith('{"é":[')).toBe(true);
    expect((JSON.parse(json) as { é: OutputMember[] }).é.map(({ mpid }) => mpid)).toEqual(inOrder(many));
  });
});
