import { sqlString } from '../sql-text.js';
import { reject, type Rule } from './normalised.js';
import { asciiTrimmed, asciiTrimmedSql } from './text.js';

/** What spreadsheets show, and export, in place of a value that they could not compute. */
export const CELL_ERRORS: readonly string[] = [
  '#N/A',
  '#REF!',
  '#NAME?',
  '#VALUE!',
  '#DIV/0!',
  '#NULL!',
  '#NUM!',
  '#SPILL!',
  '#CALC!',
  '#FIELD!',
  '#BLOCKED!',
  '#CONNECT!',
  '#UNKNOWN!',
  '#BUSY!',
  '#GETTING_DATA',
];

const errors = new Set(CELL_ERRORS);
const LIST_SQL = CELL_ERRORS.map((error) => sqlString(error)).join(', ');

/** The rule, but for cell errors: without this, all people whose id is "#N/A" would be one. */
export function withoutCellErrors(rule: Rule): Rule {
  return {
    apply: (raw) => (errors.has(asciiTrimmed(raw)) ? reject('CELL_ERROR') : rule.apply(raw)),
    valueSql: (raw) => `if(${isErrorSql(raw)}, '', ${rule.valueSql(raw)})`,
    reasonSql: (raw) => `if(${isErrorSql(raw)}, 'CELL_ERROR', ${rule.reasonSql(raw)})`,
  };
}

function isErrorSql(raw: string): string {
  return `${asciiTrimmedSql(raw)} IN (${LIST_SQL})`;
}
