/** Something wrong with a file or with one of its records. Holds no personal data: values are masked. */
export interface RowProblem {
  /** 1-based number of the record in the file, header and blank lines included; null where it is of the whole file. */
  row: number | null;
  /** 1-based number of the line it starts on, where that is known. Differs from `row` after an embedded newline. */
  line?: number;
  /** Name of the column, `column 3` where naming it could tell somebody's data, null where it is of the whole record. */
  column: string | null;
  /** Stable. */
  code: string;
  /** What is wrong, what was expected, what to do. */
  message: string;
  /** Masked; null where no single value is to blame. */
  value: string | null;
}

/** Makes the problem of a whole file. */
export function fileProblem(code: string, message: string): RowProblem {
  return { row: null, column: null, code, message, value: null };
}
