/** Why a workbook cannot be read. Stable codes. */
export type WorkbookProblemCode =
  'NOT_A_WORKBOOK' | 'WORKBOOK_ENCRYPTED' | 'WORKBOOK_DAMAGED' | 'WORKBOOK_TOO_LARGE';

/** Thrown where a workbook cannot be read. Its message is for people and holds no cell's value. */
export class WorkbookProblem extends Error {
  override readonly name = 'WorkbookProblem';

  constructor(
    readonly code: WorkbookProblemCode,
    message: string,
    /** 1-based row of the sheet, where it is known. */
    readonly row: number | null = null,
    /** Name of the column, such as `column C`. */
    readonly column: string | null = null,
  ) {
    super(message);
  }
}

const AGAIN = 'Open it in Excel, save it anew as .xlsx and send that file, or send it as CSV.';

/** The problem of a workbook whose inside is not what it should be. */
export function damaged(
  what: string,
  row: number | null = null,
  column: string | null = null,
): WorkbookProblem {
  return new WorkbookProblem(
    'WORKBOOK_DAMAGED',
    `The workbook cannot be read: ${what}. ${AGAIN}`,
    row,
    column,
  );
}

/** The problem of a workbook that would unpack to more than a table of people can be. */
export function tooLarge(what: string): WorkbookProblem {
  const message = `The workbook is refused: ${what}. Split it, or send it as CSV.`;
  return new WorkbookProblem('WORKBOOK_TOO_LARGE', message);
}
