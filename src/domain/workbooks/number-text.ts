import { format, isDateFormat, isTextFormat, isValidFormat } from 'numfmt';

/** Turns the stored number of a cell into the text that the cell shows. */
export type NumberText = (stored: string) => string;

/** Format codes that files name by number only (ECMA-376, 18.8.30); dates as an American Excel shows them. */
const BUILT_IN: Readonly<Record<number, string>> = {
  1: '0',
  2: '0.00',
  3: '#,##0',
  4: '#,##0.00',
  5: '$#,##0_);($#,##0)',
  6: '$#,##0_);[Red]($#,##0)',
  7: '$#,##0.00_);($#,##0.00)',
  8: '$#,##0.00_);[Red]($#,##0.00)',
  9: '0%',
  10: '0.00%',
  12: '# ?/?',
  13: '# ??/??',
  14: 'm/d/yyyy',
  15: 'd-mmm-yy',
  16: 'd-mmm',
  17: 'mmm-yy',
  18: 'h:mm AM/PM',
  19: 'h:mm:ss AM/PM',
  20: 'h:mm',
  21: 'h:mm:ss',
  22: 'm/d/yyyy h:mm',
  37: '#,##0_);(#,##0)',
  38: '#,##0_);[Red](#,##0)',
  39: '#,##0.00_);(#,##0.00)',
  40: '#,##0.00_);[Red](#,##0.00)',
  41: '_(* #,##0_);_(* (#,##0);_(* "-"_);_(@_)',
  42: '_($* #,##0_);_($* (#,##0);_($* "-"_);_(@_)',
  43: '_(* #,##0.00_);_(* (#,##0.00);_(* "-"??_);_(@_)',
  44: '_($* #,##0.00_);_($* (#,##0.00);_($* "-"??_);_(@_)',
  45: 'mm:ss',
  46: '[h]:mm:ss',
  47: 'mm:ss.0',
};

/** Numbers of East Asian date formats: another text in every country, but dates everywhere. */
const EAST_ASIAN_DATES = new Set([27, 28, 29, 30, 31, 36, 50, 51, 52, 53, 54, 57, 58]);

/** The format code behind a number that the file itself does not define; undefined = General. */
export function builtInFormat(id: number): string | undefined {
  return EAST_ASIAN_DATES.has(id) ? 'm/d/yyyy' : BUILT_IN[id];
}

/** Days between 1 January 1900 and 1904, Excel's 29 February 1900 counted. */
const DAYS_TO_1904 = 1462;
const WHOLE = /^-?(?:0|[1-9]\d*)$/;
const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:E[+-]?\d+)?$/i;
/** What a format shows as it is: quoted and escaped text, padding, colours and conditions. */
const LITERALS = /"[^"]*"|\\.|[_*].|\[[^\]]*\]/g;

/**
 * The text of numbers under a format code. General, and formats in powers of ten, give all digits: there the
 * cell shows less than it holds (a phone number as 5.55E+09), and an id must not be cut. So does a format that
 * would show nothing, and a date out of Excel's range.
 */
export function numberTextOf(code: string | undefined, date1904: boolean): NumberText {
  if (code === undefined || isGeneral(code) || !isValidFormat(code)) return plainNumber;
  const days = date1904 && isDateFormat(code) ? DAYS_TO_1904 : 0;
  return (stored) => {
    const value = Number(stored) + days;
    try {
      const text = format(code, value, FORMAT_OPTIONS);
      return text.trim() === '' ? plainNumber(stored) : text;
    } catch {
      return plainNumber(stored);
    }
  };
}

const FORMAT_OPTIONS = { dateErrorThrows: true, dateErrorNumber: false, dateSpanLarge: false } as const;

function isGeneral(code: string): boolean {
  if (isTextFormat(code)) return true;
  const bare = code.replaceAll(LITERALS, '');
  return /general/i.test(bare) || /[0#?]E[+-]/i.test(bare);
}

/** All digits of a stored number, without exponent as long as it has at most 21 digits. */
export function plainNumber(stored: string): string {
  if (WHOLE.test(stored)) return stored;
  const value = Number(stored);
  // Excel keeps 15 digits; what is stored behind them is the noise of binary fractions.
  return String(Number(value.toPrecision(15)));
}

/** True for what a cell of numbers may store. */
export function isStoredNumber(stored: string): boolean {
  return WHOLE.test(stored) || (NUMBER.test(stored) && Number.isFinite(Number(stored)));
}

const ISO_DATE = /^\d{4}-\d{2}-\d{2}(?:T[\d:.]+)?Z?$/;
const DAY_MS = 86_400_000;
/** Days between Excel's day 0 and 1 January 1970. */
const DAYS_TO_1970 = 25_569;

/** The number that stands for an ISO 8601 date; undefined for other texts. */
export function serialOf(iso: string, date1904: boolean): string | undefined {
  if (!ISO_DATE.test(iso)) return undefined;
  const text = iso.includes('T') && !iso.endsWith('Z') ? `${iso}Z` : iso;
  const days = Date.parse(text) / DAY_MS + DAYS_TO_1970 - (date1904 ? DAYS_TO_1904 : 0);
  return Number.isFinite(days) ? String(days) : undefined;
}
