import { describe, expect, it } from '@jest/globals';
import { checkHeader } from './header-problems.js';

const codesOf = (header: readonly string[]) => checkHeader(header, false).map(({ code }) => code);

describe('the problems of a header', () => {
  it('name the columns as people count them', () => {
    expect(checkHeader(['email', '', 'E-mail', 'note', 'Note'], true)).toStrictEqual([
      {
        code: 'EMPTY_HEADER',
        message:
          'Column 2 has no name. Name it, or remove the column (a delimiter at the end of the header line makes one too).',
        columnNumber: 2,
      },
      {
        code: 'DUPLICATE_HEADER',
        message: 'Columns 1 and 3 have the same name (Email). Remove or rename one of them.',
        columnNumber: 3,
      },
      {
        code: 'DUPLICATE_HEADER',
        message: 'Columns 4 and 5 have the same name. Remove or rename one of them.',
        columnNumber: 5,
      },
    ]);
    expect(checkHeader(['email', 'note'], true)).toStrictEqual([]);
  });

  it('stand in column order, and that of the whole header last', () => {
    const problems = checkHeader(['Last Name', 'note', 'note', ''], false);
    expect(problems.map(({ columnNumber }) => columnNumber)).toEqual([3, 4, undefined]);
  });

  it('do not take a header for data that has one known column', () => {
    expect(codesOf(['Last Name', 'ada@example.com'])).toEqual(['NO_USABLE_COMBINATION']);
  });

  it.each([' 2125550123 ', '+1 (212) 555-0123', 'f'.repeat(32), 'LALNY1'])('know data: "%s"', (cell) => {
    expect(codesOf(['note', cell])).toEqual(['NO_HEADER']);
  });

  it.each([
    '12345x',
    'no 2125550123',
    'f'.repeat(31),
    `x${'f'.repeat(32)}`,
    `${'f'.repeat(32)}x`,
    'xLALNY1',
    'LALNY1x',
    '1234',
  ])('know no data in "%s"', (cell) => {
    expect(codesOf(['note', cell])).toEqual(['NO_USABLE_COMBINATION']);
  });

  it('say what is recognised, and guess only where something is near', () => {
    const [none] = checkHeader(['note', 'colour'], false);
    expect(none?.message).toMatch(
      /^Of the 2 columns none is recognised, which makes no usable combination\. Expected Customer ID;/,
    );
    const [some] = checkHeader(['Last Name', 'Fist Name'], false);
    expect(some?.message).toMatch(
      /^Of the 2 columns recognised: Last Name, which .* Perhaps misspelled: column 2 "Fist Name" – did you mean First Name\? Expected/,
    );
  });
});
