import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { builtInFormat, isStoredNumber, numberTextOf, serialOf } from './number-text.js';

const shown = (code: string | undefined, stored: string, date1904 = false) =>
  numberTextOf(code, date1904)(stored);

describe('numbers are read as the text that the cell shows', () => {
  it.each([
    ['00000', '2134', '02134'],
    ['00000-0000', '21340001', '02134-0001'],
    ['0', '5555550123', '5555550123'],
    ['000-00-0000', '1234567', '001-23-4567'],
    ['(000) 000-0000', '5555550123', '(555) 555-0123'],
    ['[<=9999999]###\\-####;\\(###\\)\\ ###\\-####', '5555550123', '(555) 555-0123'],
    ['#,##0.00', '1234.5', '1,234.50'],
    ['0%', '0.25', '25%'],
    ['"ID "0', '7', 'ID 7'],
    ['yyyy-mm-dd', '44197', '2021-01-01'],
    ['yyyy-mm-dd hh:mm', '44197.5', '2021-01-01 12:00'],
    ['[$-409]d\\-mmm\\-yy;@', '44197', '1-Jan-21'],
    ['yyyy-mm-dd', '60', '1900-02-29'],
    [builtInFormat(14), '44197', '1/1/2021'],
    [builtInFormat(22), '44197.5', '1/1/2021 12:00'],
    [builtInFormat(3), '1234567', '1,234,567'],
  ])('%s of %s', (code, stored, text) => {
    expect(shown(code, stored)).toBe(text);
  });

  it.each([27, 28, 29, 30, 31, 36, 50, 51, 52, 53, 54, 57, 58])(
    'dates of the East Asian format %i are dates',
    (id) => {
      expect(shown(builtInFormat(id), '44197')).toBe('1/1/2021');
    },
  );

  it.each([26, 32, 35, 49, 55, 56, 59])('format %i, which files have to define, is not guessed', (id) => {
    expect(builtInFormat(id)).toBeUndefined();
  });

  it('dates of workbooks that count from 1904 are four years later', () => {
    expect(shown('yyyy-mm-dd', '0', true)).toBe('1904-01-01');
    expect(shown('yyyy-mm-dd', '42735', true)).toBe('2021-01-01');
    expect(shown('00000', '2134', true)).toBe('02134');
  });

  it.each([
    [undefined, '5555550123', '5555550123'],
    ['General', '15555550123', '15555550123'],
    ['General', '155555501234567', '155555501234567'],
    ['General', '5.555550123E9', '5555550123'],
    ['0.00E+00', '15555550123', '15555550123'],
    ['##0.0E+0', '15555550123', '15555550123'],
    [builtInFormat(11), '15555550123', '15555550123'],
    ['@', '12345678901234567890', '12345678901234567890'],
    ['General', '0.10000000000000001', '0.1'],
    ['General', '1.1000000000000001', '1.1'],
    ['General', '-0.5', '-0.5'],
    [';;;', '5555550123', '5555550123'],
    ['yyyy-mm-dd', '-1', '-1'],
    ['yyyy-mm-dd', '5555550123', '5555550123'],
    ['no format at all "', '7', '7'],
  ])('no digit is lost under %s: %s', (code, stored, text) => {
    expect(shown(code, stored)).toBe(text);
  });

  it('a quoted E or a condition makes no power of ten', () => {
    expect(shown('0"0E+0"', '7')).toBe('70E+0');
  });

  it('whole numbers of up to fifteen digits come out whole, however they are stored', () => {
    fc.assert(
      fc.property(fc.integer({ min: -(10 ** 15 - 1), max: 10 ** 15 - 1 }), (value) => {
        expect(shown('General', String(value))).toBe(String(value));
        expect(Number(shown('General', value.toExponential()))).toBe(value);
      }),
    );
  });

  it('ISO dates become the number that Excel would store', () => {
    expect(serialOf('2021-01-01', false)).toBe('44197');
    expect(serialOf('2021-01-01T12:00:00', false)).toBe('44197.5');
    expect(serialOf('2021-01-01', true)).toBe('42735');
    expect(serialOf('soon', false)).toBeUndefined();
  });
});

describe('what a cell stores', () => {
  it.each(['0', '-7', '1.5', '.5', '5.', '+1', '1E3', '1e-3', '1.25E+10', '12.34', '.25'])(
    'is a number: %s',
    (stored) => {
      expect(isStoredNumber(stored)).toBe(true);
    },
  );

  it.each(['', '-', '.', '1 ', ' 1', 'x1', '1x', '1E', '1E999', '1,5', '0x1', 'Infinity'])(
    'is no number: "%s"',
    (stored) => {
      expect(isStoredNumber(stored)).toBe(false);
    },
  );

  it.each(['x2021-01-01', '2021-01-01x', '2021-01', '1', '2021-13-01'])('is no date: %s', (iso) => {
    expect(serialOf(iso, false)).toBeUndefined();
  });

  it('is a date whether it ends in Z or not', () => {
    expect(serialOf('2021-01-01T12:00:00Z', false)).toBe('44197.5');
    expect(serialOf('2021-01-01Z', false)).toBe(serialOf('2021-01-01', false));
  });
});
