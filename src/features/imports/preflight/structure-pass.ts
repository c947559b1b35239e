import {
  fileProblem,
  MAX_LISTED_PROBLEMS,
  type RowProblem,
  type ScannedRecord,
} from '../../../domain/files/index.js';
import type { MappingResult } from '../../../domain/identities/index.js';
import type { CleanFile } from './clean-file.js';
import type { Layout } from './layout.js';
import type { Rejects } from './rejects-file.js';
import type { PreflightRequest } from './report.js';
import { structureFaultOf, structureProblem, type StructureFault } from './scan.js';

/** Sorts the records of a file into good and rejected, and finds what refuses the file as a whole. */
export class StructurePass {
  endsMidRecord = false;
  private records = 0;
  private good = 0;
  private tooMany = false;
  private firstFault: StructureFault | undefined;

  constructor(
    private readonly request: PreflightRequest,
    private readonly layout: Layout,
    private readonly clean: CleanFile,
    private readonly rejects: Rejects,
  ) {}

  /** False: enough is known. */
  take(record: ScannedRecord): boolean {
    this.records += 1;
    const { maxRows = this.records } = this.request.shape;
    if (this.records > maxRows) {
      this.tooMany = true;
      return false;
    }
    const { columns, delimiter } = this.layout;
    const code = structureFaultOf(record, columns);
    if (this.records === 1) this.firstFault = code;
    if (code === undefined) {
      this.good += 1;
      if (!this.isRefused()) this.clean.append(record);
      return true;
    }
    this.rejects.add(
      structureProblem(code, record, columns, this.request.shape.format === 'xlsx' ? undefined : delimiter),
    );
    this.endsMidRecord = !record.lineEnded && code === 'TOO_FEW_COLUMNS';
    return !(this.isRefused() && this.rejects.problems.length === MAX_LISTED_PROBLEMS);
  }

  /** Problems that refuse the whole file. `whole`: it was read to its end. */
  refusals(whole: boolean): RowProblem[] {
    const { mapping, headerRow } = this.layout;
    const problems = 'problems' in mapping ? headerProblems(mapping, headerRow) : [];
    if (this.firstIsSplit()) {
      const message =
        'The first line has more than one column; expected one id a line and no header. Send a file with the ids alone.';
      problems.unshift(fileProblem('TOO_MANY_COLUMNS', message));
    } else if (this.tooMany) {
      const message = `The file has more than the ${this.request.shape.maxRows} records that are allowed. Split it.`;
      problems.unshift(fileProblem('TOO_MANY_ROWS', message));
    } else if (this.records === 0 && whole) problems.push(this.nothingThere());
    else if (this.good === 0 && whole && problems.length === 0) {
      const message =
        'Not one record of the file can be read. Compare the records below with what was expected.';
      problems.push(fileProblem('NO_USABLE_ROWS', message));
    }
    return problems;
  }

  private nothingThere(): RowProblem {
    if (this.layout.headerRow === undefined) {
      return fileProblem('EMPTY_FILE', 'The file holds nothing but blank lines; expected one id a line.');
    }
    const message =
      'The file has a header and no record. Send a file with at least one record below the header.';
    return fileProblem('NO_DATA_ROWS', message);
  }

  private isRefused(): boolean {
    return 'problems' in this.layout.mapping || this.firstIsSplit();
  }

  private firstIsSplit(): boolean {
    return this.layout.headerRow === undefined && this.firstFault === 'TOO_MANY_COLUMNS';
  }
}

/** The problems of a header; none where it is usable. */
export function headerProblems(mapping: MappingResult, headerRow: number | undefined): RowProblem[] {
  if (!('problems' in mapping)) return [];
  return mapping.problems.map(({ code, message, columnNumber }) => ({
    row: headerRow ?? null,
    column: columnNumber === undefined ? null : `column ${columnNumber}`,
    code,
    message,
    value: null,
  }));
}
