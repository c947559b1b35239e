import { describe, expect, it } from '@jest/globals';
import type { NormalisationProfile } from '../../kit/index.js';
import type { NormaliseOptions } from '../identities/index.js';
import { profileFieldOf } from './profile-columns.js';
import { ProfileDiff } from './profile-diff.js';

/** Two profiles over the rows of a file, the first row of which is row 2. */
function diffOf(
  [first, second]: readonly [NormalisationProfile, NormalisationProfile],
  header: readonly string[],
  rows: readonly (readonly string[])[],
  options?: NormaliseOptions,
): ProfileDiff {
  const diff = new ProfileDiff(first, second, header, options);
  for (const [index, cells] of rows.entries()) diff.add(index + 2, (at) => cells[at] ?? '');
  return diff;
}

const META_GOOGLE = ['meta@2024-07', 'google@2025-06'] as const;
const NO_CELLS = { same: 0, differs: 0, onlyFirst: 0, onlySecond: 0, neither: 0, empty: 0 };

describe('two profiles over a file', () => {
  it('are compared in the columns that one of the partners takes', () => {
    const { columns } = diffOf(META_GOOGLE, ['note', 'Email', 'NPI', 'State', 'Zip', 'Gender'], []);
    expect(columns).toStrictEqual([
      { number: 2, header: 'Email', field: 'email', hashed: [true, true], cells: NO_CELLS, examples: [] },
      { number: 4, header: 'State', field: 'state', hashed: [true, null], cells: NO_CELLS, examples: [] },
      { number: 5, header: 'Zip', field: 'zip', hashed: [true, false], cells: NO_CELLS, examples: [] },
      { number: 6, header: 'Gender', field: 'gender', hashed: [true, null], cells: NO_CELLS, examples: [] },
    ]);
    const [state] = diffOf(['google@2025-06', 'meta@2024-07'], ['State'], [['NY']]).columns;
    expect(state?.hashed).toStrictEqual([null, true]);
    expect(state?.cells.onlySecond).toBe(1);
    const neither = diffOf(['iqm@2025-01', 'uid2@2024-05'], ['State', 'Email'], []);
    expect(neither.columns.map(({ header }) => header)).toEqual(['Email']);
  });

  it('make of each cell the same, something else, or nothing', () => {
    const emails = ['ada@example.com', 'A.da@gmail.com', '+x@gmail.com', 'nobody', ' \u00a0', ''];
    const rows = emails.map((email) => [email]);
    const diff = diffOf(META_GOOGLE, ['Email'], rows);
    const [column] = diff.columns;
    expect(column?.cells).toStrictEqual({
      ...NO_CELLS,
      same: 1,
      differs: 1,
      onlyFirst: 1,
      neither: 1,
      empty: 2,
    });
    expect(column?.examples).toStrictEqual([
      {
        row: 3,
        cell: 'a***@g***.com(14)'.replace('a', 'A'),
        first: 'a***@g***.com(14)',
        second: 'a***@g***.com(13)',
      },
      { row: 4, cell: '***@g***.com(12)', first: '***@g***.com(12)', second: null, reason: 'EMAIL_LEFT_OUT' },
    ]);
    expect([diff.rows, diff.differingRows]).toEqual([6, 2]);
    const [other] = diffOf(['google@2025-06', 'meta@2024-07'], ['Email'], rows).columns;
    expect(other?.cells).toStrictEqual({
      ...NO_CELLS,
      same: 1,
      differs: 1,
      onlySecond: 1,
      neither: 1,
      empty: 2,
    });
    expect(other?.examples.at(1)).toStrictEqual({
      row: 4,
      cell: '***@g***.com(12)',
      first: null,
      second: '***@g***.com(12)',
      reason: 'EMAIL_LEFT_OUT',
    });
  });

  it('differ without a reason where a partner does not take the field', () => {
    const [column] = diffOf(META_GOOGLE, ['State'], [['New York']]).columns;
    expect(column?.examples).toStrictEqual([{ row: 2, cell: 'N***(8)', first: '***(2)', second: null }]);
  });

  it('show three cells of a column and no more', () => {
    const [column] = diffOf(
      META_GOOGLE,
      ['State'],
      ['NY', 'CA', 'TX', 'WA'].map((state) => [state]),
    ).columns;
    expect(column?.cells.onlyFirst).toBe(4);
    expect(column?.examples.map(({ row }) => row)).toEqual([2, 3, 4]);
  });

  it('read phones of the region that the workspace names', () => {
    const phones = [['020 7946 0958']];
    const profiles = ['google@2025-06', 'uid2@2024-05'] as const;
    expect(diffOf(profiles, ['Phone'], phones).columns[0]?.cells).toMatchObject({ neither: 1, same: 0 });
    const british = diffOf(profiles, ['Phone'], phones, { defaultRegion: 'GB' });
    expect(british.columns[0]?.cells).toMatchObject({ neither: 0, same: 1 });
  });
});

describe('rows of a file', () => {
  it('are counted by the columns that differ in them, the most frequent first', () => {
    const diff = diffOf(
      META_GOOGLE,
      ['State', 'Email'],
      [
        ['NY', 'ada@example.com'],
        ['', 'ada@example.com'],
        ['', 'eve@example.com'],
        ['CA', 'a.da@gmail.com'],
        ['', ''],
        ['TX', 'a.da@gmail.com'],
      ],
    );
    expect(diff.rowClasses).toStrictEqual([
      { columns: [], rows: 3 },
      { columns: ['State', 'Email'], rows: 2 },
      { columns: ['State'], rows: 1 },
    ]);
  });

  it('are counted together beyond fifty sets of columns', () => {
    const header = ['State', 'mState', 'state_code', 'state_name', 'us_state', 'Residence_Addresses_State'];
    const subsets = Array.from({ length: 2 ** header.length }, (_, bits) =>
      header.map((__, at) => ((bits >> at) & 1 ? 'NY' : '')),
    );
    const diff = diffOf(META_GOOGLE, header, [...subsets, ['NY'], header.map(() => 'NY')]);
    const [others, first, ...rest] = diff.rowClasses;
    expect(others).toStrictEqual({ columns: ['(other columns)'], rows: 15 });
    expect(first).toStrictEqual({ columns: ['State'], rows: 2 });
    expect(rest.map(({ rows }) => rows)).toEqual(Array.from({ length: 49 }, () => 1));
  });
});

describe('the header of a column', () => {
  it.each([
    ['E-Mail', 'email'],
    ['Given Name', 'first_name'],
    ['zip code', 'zip'],
    ['City', 'city'],
    ['town', 'city'],
    ['Country Code', 'country'],
    ['DOB', 'date_of_birth'],
    ['Voters_BirthDate', 'date_of_birth'],
    ['sex', 'gender'],
    ['IDFA', 'device_id'],
    ['mobile-advertising-id', 'device_id'],
  ])('names a field of a profile: %s', (header, field) => {
    expect(profileFieldOf(header)).toBe(field);
  });

  it.each(['NPI', 'LALVOTERID', 'Full Address', 'note', ''])('names none: "%s"', (header) => {
    expect(profileFieldOf(header)).toBeUndefined();
  });
});
