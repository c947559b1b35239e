import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { int64, memberRowsOf, row } from '../../../../test/support/member-rows.js';
import { JsonText, rowsOfObjects, type OutputMember, type RowColumn } from '../../../kit/index.js';
import { addMembers, memberObjects, rowsOfRuns, type MemberRows, type MemberRun } from '../index.js';
import { WRITER_SOURCE } from './compiled-writer.js';

const COLUMNS: readonly RowColumn[] = [{ type: 'email', empty: '""' }];

const whole = (rows: MemberRows): MemberRun => ({
  rows,
  start: { owner: 0, identity: 0, attribute: 0 },
  end: rows.owners.length,
});
const jsonOf = (...all: MemberRows[]) => {
  const text = new JsonText();
  addMembers(text, all.map(whole));
  return JSON.parse(text.take().toString('utf8')) as unknown;
};
const emailRows = (identities: Buffer, packed = false): MemberRows => ({
  owners: int64('7'),
  identities,
  attributes: Buffer.alloc(0),
  types: ['email'],
  packed: [packed],
  names: [],
});
const person = (mpid: number, value: string): OutputMember => ({
  mpid: String(mpid),
  identities: { email: [value] },
});

describe('the compiled writer', () => {
  it('is compiled of the source that is here', async () => {
    const sources = createHash('sha256');
    for (const name of (await readdir('assembly')).sort())
      sources.update(await readFile(join('assembly', name)));
    // `npm run assembly` compiles it anew.
    expect(WRITER_SOURCE).toBe(sources.digest('hex'));
  });

  it.each([
    ['a value', [person(1, 'x'.repeat(1_000_000)), person(2, 'y')]],
    ['a value of which every byte is escaped', [person(1, '\u0001'.repeat(300_000)), person(2, 'y')]],
    ['an attribute', [{ ...person(1, 'x'), attributes: { Party: 'p'.repeat(1_000_000) } }, person(2, 'y')]],
    [
      'the values of one person',
      [{ mpid: '1', identities: { email: Array.from({ length: 999 }, (_, at) => `p${at + 1000}`) } }],
    ],
    [
      'thousands of people of whom only some have long values',
      Array.from({ length: 5000 }, (_, at) => person(at, at % 1000 === 0 ? 'z'.repeat(50_000) : `p${at}`)),
    ],
  ])('writes what is larger than the memory for it: %s', (_, members) => {
    expect(jsonOf(memberRowsOf(members))).toEqual(members);
    const most = 700;
    const rows = [...rowsOfRuns([whole(memberRowsOf(members))], COLUMNS, most, () => new JsonText())];
    const expected = rowsOfObjects(members, COLUMNS, { most });
    const shown = (all: typeof rows) =>
      all.flatMap((one) => (one ? [{ ...one, data: one.data.take().toString('utf8') }] : []));
    expect(shown(rows)).toEqual(shown(expected));
  });

  it('writes digests of every length as their digits', () => {
    for (const bytes of [16, 20, 32, 64]) {
      const digests = [1, 2].map((seed) =>
        createHash('shake128', { outputLength: bytes }).update(`${seed}`).digest(),
      );
      const packed = Buffer.concat([Buffer.of(bytes), ...digests]);
      const text = digests.map((digest) => digest.toString('hex')).join('|');
      const rows = emailRows(Buffer.concat([row('7', 0, packed), row('7', 0, Buffer.from('\0zz'))]), true);
      const [expected] = memberObjects(whole(rows));
      expect(jsonOf(rows)).toEqual([{ mpid: '7', identities: { email: [text, 'zz'] } }]);
      expect(expected?.identities.email).toEqual([text, 'zz']);
    }
  });

  it('takes no longer for each value of somebody who has very many', () => {
    const many = {
      mpid: '1',
      identities: { email: Array.from({ length: 40_000 }, (_, at) => `p${at + 10_000}`) },
    };
    const rows = memberRowsOf([many]);
    const beganMs = performance.now();
    expect(jsonOf(rows)).toEqual([many]);
    expect(memberObjects(whole(rows))).toEqual([many]);
    // Compared each with all others, they would take more than ten times as long.
    expect(performance.now() - beganMs).toBeLessThan(5000);
  });

  it('keeps values that several places of a type have in the first of them, in whatever order they come', () => {
    const anyRow = fc.tuple(fc.nat({ max: 2 }), fc.constantFrom('a', 'b', 'c', 'd'));
    fc.assert(
      fc.property(fc.array(anyRow, { maxLength: 9 }), (all) => {
        const rows: MemberRows = {
          ...emailRows(Buffer.concat(all.map(([place, value]) => row('7', place, value)))),
          types: ['email', 'email', 'phone'],
          packed: [false, false, false],
        };
        const of = (place: number) =>
          [...new Set(all.flatMap(([own, value]) => (own === place ? [value] : [])))].sort();
        const [first, second, phone] = [of(0), of(1), of(2)];
        const email = [...first, ...second.filter((value) => !first.includes(value))];
        const identities = {
          ...(email.length > 0 ? { email } : {}),
          ...(phone.length > 0 ? { phone } : {}),
        };
        const expected = all.length > 0 ? [{ mpid: '7', identities }] : [];
        expect(jsonOf(rows)).toEqual(expected);
        expect(memberObjects(whole(rows))).toEqual(expected);
      }),
      { numRuns: 300 },
    );
  });

  it('puts the bytes of places in their place', () => {
    const placeOf = new Uint8Array(256);
    placeOf[21] = 1;
    const rows: MemberRows = {
      ...emailRows(Buffer.concat([row('7', 3, 'a'), row('7', 21, 'b')])),
      types: ['email', 'phone'],
      packed: [false, false],
      placeOf,
    };
    expect(jsonOf(rows)).toEqual([{ mpid: '7', identities: { email: ['a'], phone: ['b'] } }]);
    expect(memberObjects(whole(rows))).toEqual(jsonOf(rows));
  });

  it('writes what others left undone, whatever was written between', () => {
    const members = Array.from({ length: 12_000 }, (_, at) => person(at, `p${at}`));
    const others = [{ mpid: '1', attributes: { A: 'b' }, identities: { phone: ['"'] } }];
    const data: Buffer[] = [];
    for (const rows of rowsOfRuns([whole(memberRowsOf(members))], COLUMNS, 5500, () => new JsonText())) {
      if (rows) data.push(rows.data.take());
      expect(jsonOf(memberRowsOf(others))).toEqual(others);
    }
    const written = data.flatMap((json) => JSON.parse(json.toString()) as string[][]);
    expect(written).toEqual(members.map((_, at) => [`p${at}`]));
  });

  it('takes pages of several kinds one after another as one array', () => {
    const pages = [[person(1, 'a')], [], [{ ...person(2, 'b'), attributes: { A: 'b' } }]];
    expect(jsonOf(...pages.map(memberRowsOf))).toEqual(pages.flat());
  });

  it('refuses rows that end in the midst of one, and rows without columns or with too many', () => {
    const rows = emailRows(row('7', 0, 'somebody').subarray(0, -1));
    expect(() => jsonOf(rows)).toThrow(/in the midst of one/);
    const columns = (count: number) =>
      rowsOfRuns(
        [whole(rows)],
        Array.from({ length: count }, () => ({ type: 'email', empty: '' })),
        1,
        () => new JsonText(),
      );
    expect(() => [...columns(0)]).toThrow(/1 to \d+ columns, not 0/);
    expect(() => [...columns(100)]).toThrow(/not 100/);
  });
});
