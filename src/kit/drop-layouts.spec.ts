import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { parseIqmKey, parseReproKey } from './drop-layouts.js';

function codeOf(parsed: object): string | undefined {
  return (parsed as { refused?: { code: string } }).refused?.code;
}

describe('keys of the IQM layout', () => {
  it('carry seat, folder and audience name', () => {
    expect(parseIqmKey('onboarding/seat_id=4711/crm/Spring Sale.csv')).toEqual({
      format: 'csv',
      seatId: '4711',
      folder: 'crm',
      audienceName: 'Spring Sale',
    });
  });

  it('name a workbook by its ending, in any case', () => {
    const key = 'onboarding/seat_id=1/crm/Spring Sale.XLSX';
    expect(parseIqmKey(key)).toMatchObject({ format: 'xlsx', audienceName: 'Spring Sale' });
  });

  it.each([
    ['emoji and spaces', 'onboarding/seat_id=1/f/🎉 party.CSV', '🎉 party'],
    ['an encoded slash, literally', 'onboarding/seat_id=1/f/a%2Fb.csv', 'a%2Fb'],
    ['dots in the name', 'onboarding/seat_id=1/f/v1..2.csv', 'v1..2'],
  ])('may hold %s', (_what, key, audienceName) => {
    expect(parseIqmKey(key)).toMatchObject({ audienceName });
  });

  it.each([
    ['onboarding/seat_id=1/../x.csv', 'KEY_DOT_SEGMENT'],
    ['onboarding/./f/x.csv', 'KEY_DOT_SEGMENT'],
    ['onboarding/seat_id=1/x.csv', 'KEY_LAYOUT'],
    ['onboarding/seat_id=1/a/b/x.csv', 'KEY_LAYOUT'],
    ['onboarding/seat_id=/f/x.csv', 'KEY_LAYOUT'],
    ['onboarding/seat=1/f/x.csv', 'KEY_LAYOUT'],
    ['elsewhere/seat_id=1/f/x.csv', 'KEY_LAYOUT'],
    ['onboarding/seat_id=1//x.csv', 'KEY_LAYOUT'],
    ['onboarding/seat_id=1/f/x.xls', 'KEY_EXTENSION'],
    ['onboarding/seat_id=1/f/ .xlsx', 'KEY_NAME_EMPTY'],
    ['onboarding/seat_id=1/f/x.csv.zip', 'KEY_EXTENSION'],
    ['onboarding/seat_id=1/f/ .csv', 'KEY_NAME_EMPTY'],
    ['onboarding/seat_id=1/f/a\u0000b.csv', 'KEY_CONTROL_CHARACTER'],
    [`onboarding/seat_id=1/f/${'x'.repeat(256)}.csv`, 'KEY_NAME_TOO_LONG'],
    [`onboarding/seat_id=1/${'é'.repeat(500)}/x.csv`, 'KEY_TOO_LONG'],
  ])('are refused: %s', (key, code) => {
    expect(codeOf(parseIqmKey(key))).toBe(code);
  });

  it('may have 1,024 bytes and not one more', () => {
    const key = (folder: string) => `onboarding/seat_id=1/${folder}/x.csv`;
    const room = 1024 - Buffer.byteLength(key(''));
    expect(parseIqmKey(key('x'.repeat(room)))).toMatchObject({ audienceName: 'x' });
    expect(codeOf(parseIqmKey(key('x'.repeat(room + 1))))).toBe('KEY_TOO_LONG');
  });

  it('that are well formed lead back to their parts', () => {
    const part = fc
      .string({ unit: 'grapheme', minLength: 1, maxLength: 40 })
      .filter((text) => !/[/\p{Cc}]|^\.{1,2}$/u.test(text) && text.trim() === text && text !== '');
    fc.assert(
      fc.property(part, part, part, (seatId, folder, audienceName) => {
        const key = `onboarding/seat_id=${seatId}/${folder}/${audienceName}.csv`;
        fc.pre(Buffer.byteLength(key) <= 1024);
        expect(parseIqmKey(key)).toEqual({ format: 'csv', seatId, folder, audienceName });
      }),
    );
  });
});

describe('keys of the Repro layout', () => {
  it.each([
    ['spring.csv', 'spring'],
    ['春.csv', '春'],
    ['a%2Fb.csv', 'a%2Fb'],
  ])('%s names %s', (key, audienceName) => {
    expect(parseReproKey(key)).toEqual({ format: 'csv', audienceName });
  });

  it.each([
    ['sub/spring.csv', 'KEY_LAYOUT'],
    ['..', 'KEY_DOT_SEGMENT'],
    ['spring.txt', 'KEY_EXTENSION'],
    ['spring.xlsx', 'KEY_EXTENSION'],
    ['.csv', 'KEY_NAME_EMPTY'],
  ])('are refused: %s', (key, code) => {
    expect(codeOf(parseReproKey(key))).toBe(code);
  });
});

describe('any key', () => {
  it('is either parsed or refused with a code and a message, and never throws', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary', maxLength: 60 }),
        fc.constantFrom('', 'onboarding/seat_id=1/f/'),
        (text, start) => {
          for (const parsed of [parseIqmKey(start + text), parseReproKey(text)]) {
            if ('refused' in parsed) expect(parsed.refused.message).not.toBe('');
            else expect(parsed.audienceName).not.toMatch(/[/\p{Cc}]/u);
          }
        },
      ),
    );
  });
});
