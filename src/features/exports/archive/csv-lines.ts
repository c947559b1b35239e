import { typeNameSql } from '../../../domain/identities/index.js';

/** First line of every CSV of an export. */
export const CSV_HEADER = 'mpid,scanned_timestamp_ms,identity_value,identity_type\n';

/** First characters of cells that a spreadsheet would run: `=` `+` `-` `@`, tab, carriage return. */
const FORMULA_STARTS = String.raw`^[=+\\-@\\t\\r]`;
/** What forces quotes in CSV (RFC 4180). */
const QUOTED = String.raw`[",\\r\\n]`;

/** How the lines of a CSV are written. */
export interface LineStyle {
  scannedAt: Date;
  /** Puts an apostrophe before values that a spreadsheet would run. The mpid is a number and stays one. */
  neutraliseFormulas: boolean;
}

/**
 * SQL (String) of one CSV line, without its line break, over the columns `mpid`, `value` and `type`. Values
 * are quoted only where they must be.
 */
export function lineSql(style: LineStyle): string {
  const value = style.neutraliseFormulas
    ? `if(match(value, '${FORMULA_STARTS}'), concat('\\'', value), value)`
    : 'value';
  const cell = `if(match(value, '${QUOTED}'), concat('"', replaceAll(${value}, '"', '""'), '"'), ${value})`;
  return `concat(toString(mpid), ',${style.scannedAt.getTime()},', ${cell}, ',', ${typeNameSql('type')})`;
}
