import {
  fileProblem,
  MAX_LISTED_PROBLEMS,
  UndecodableError,
  type Encoding,
  type RowProblem,
  type ScannedRecord,
} from '../../../domain/files/index.js';
import type { MappingResult } from '../../../domain/identities/index.js';
import { CleanFile } from './clean-file.js';
import { checkHead, survey, undecodable } from './encoding-check.js';
import { cleanReading, plainReading } from './engine-reading.js';
import { quoteProblem, readLayout, type Layout } from './layout.js';
import { CHUNK_BYTES, LocalFile, type Breathe } from './local-file.js';
import { Rejects } from './rejects-file.js';
import type { EngineReading, PreflightReport, PreflightRequest, RefusedReport } from './report.js';
import { scanRecords, structureFaultOf, structureProblem, type StructureFault } from './scan.js';

/** Checks a file. Leaves behind a rejects file, and a clean file where the engine is to read that. */
export async function checkFile(request: PreflightRequest, breathe: Breathe): Promise<PreflightReport> {
  const file = LocalFile.open(request.path);
  try {
    return await new FileCheck(request, file, breathe).run();
  } finally {
    file.close();
  }
}

/** What is known of a file once encoding and columns are. */
interface Known {
  encoding: Encoding;
  bomBytes: number;
  layout: Layout;
}

class FileCheck {
  constructor(
    private readonly request: PreflightRequest,
    private readonly file: LocalFile,
    private readonly breathe: Breathe,
  ) {}

  async run(): Promise<PreflightReport> {
    const size = this.checkSize();
    if (size) return refused([size]);
    const head = this.file.head();
    const start = checkHead(head, this.request.shape);
    if ('problem' in start) return refused([start.problem], start.name);
    const { bomBytes } = start;
    let { encoding } = start;
    let layout = this.layoutOf(head, encoding, bomBytes);
    let plain = false;
    if (encoding === 'utf-8') {
      const plainShape = bomBytes === 0 && 'mapping' in layout ? this.plainShapeOf(layout) : undefined;
      const verdict = await survey(this.file, this.request.shape, bomBytes, plainShape, this.breathe);
      if ('problem' in verdict) return refused([verdict.problem], verdict.name);
      ({ plain } = verdict);
      if (verdict.encoding !== encoding) {
        ({ encoding } = verdict);
        layout = this.layoutOf(head, encoding, bomBytes);
      }
    }
    if ('problems' in layout) return refused(layout.problems, encoding);
    const known = { encoding, bomBytes, layout };
    return plain && 'mapping' in layout.mapping ? this.usableAsItIs(known) : this.scan(known);
  }

  private checkSize(): RowProblem | undefined {
    const { sizeBytes } = this.file;
    const { maxBytes } = this.request.shape;
    if (sizeBytes === 0) {
      return fileProblem(
        'EMPTY_FILE',
        'The file is empty (0 bytes). Upload it again, and wait until it is whole.',
      );
    }
    if (sizeBytes <= maxBytes) return undefined;
    const message = `The file has ${sizeBytes} bytes; at most ${maxBytes} are allowed. Split it.`;
    return fileProblem('FILE_TOO_LARGE', message);
  }

  private layoutOf(head: Buffer, encoding: Encoding, bomBytes: number): Layout | { problems: RowProblem[] } {
    const bytes = head.subarray(bomBytes);
    const isWhole = this.file.sizeBytes <= CHUNK_BYTES;
    const { shape, delimiter } = this.request;
    return readLayout({ bytes, encoding, offset: bomBytes, isWhole }, shape, delimiter);
  }

  private plainShapeOf({ startsPlainly, delimiter, columns, headerRow }: Layout) {
    if (!startsPlainly) return undefined;
    const { maxRows } = this.request.shape;
    const maxLines = maxRows === undefined ? undefined : maxRows + (headerRow === undefined ? 0 : 1);
    return { delimiter: delimiter.charCodeAt(0), columns, ...(maxLines === undefined ? {} : { maxLines }) };
  }

  private usableAsItIs(known: Known): PreflightReport {
    const { delimiter, columns, headerRow } = known.layout;
    const rejects = Rejects.create(this.request.rejectsPath);
    try {
      const skipLines = headerRow === undefined ? 0 : 1;
      const engine = plainReading(this.request.path, columns, delimiter, skipLines);
      return this.usable(known, engine, rejects, false);
    } finally {
      rejects.close();
    }
  }

  /** Reads every record: writes the good ones to the clean file, the others to the rejects. */
  private async scan(known: Known): Promise<PreflightReport> {
    const rejects = Rejects.create(this.request.rejectsPath);
    const clean = CleanFile.create(this.request.cleanPath);
    try {
      const pass = new StructurePass(this.request, known.layout, clean, rejects);
      const reading = { ...known, ...known.layout };
      const fault = await scanRecords(this.file, reading, (record) => pass.take(record), this.breathe);
      const problems = [...(fault ? [quoteProblem(fault)] : []), ...pass.refusals(fault === undefined)];
      if (problems.length > 0) return refused([...problems, ...rejects.problems], known.encoding);
      clean.finish();
      return this.usable(known, cleanReading(this.request.cleanPath), rejects, pass.endsMidRecord);
    } catch (error) {
      if (!(error instanceof UndecodableError)) throw error;
      return refused([undecodable(error, known.encoding), ...rejects.problems], known.encoding);
    } finally {
      clean.close();
      rejects.close();
    }
  }

  private usable(
    { encoding, layout }: Known,
    engine: EngineReading,
    rejects: Rejects,
    endsMidRecord: boolean,
  ): PreflightReport {
    if ('problems' in layout.mapping)
      return refused(headerProblems(layout.mapping, layout.headerRow), encoding);
    return {
      verdict: 'usable',
      encoding,
      delimiter: layout.delimiter,
      mapping: layout.mapping.mapping,
      columns: layout.columns,
      hints: layout.mapping.hints,
      engine,
      rejected: rejects.count,
      rejectedByReason: rejects.byReason,
      problems: rejects.problems,
      endsMidRecord,
      sizeBytes: this.file.sizeBytes,
      rejectsBytes: rejects.finish(),
    };
  }
}

/** Sorts the records of a file into good and rejected, and finds what refuses the file as a whole. */
class StructurePass {
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
    this.rejects.add(structureProblem(code, record, columns, delimiter));
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

function headerProblems(mapping: MappingResult, headerRow: number | undefined): RowProblem[] {
  if (!('problems' in mapping)) return [];
  return mapping.problems.map(({ code, message, columnNumber }) => ({
    row: headerRow ?? null,
    column: columnNumber === undefined ? null : `column ${columnNumber}`,
    code,
    message,
    value: null,
  }));
}

function refused(problems: readonly RowProblem[], encoding?: string): RefusedReport {
  const listed = problems.slice(0, MAX_LISTED_PROBLEMS);
  return { verdict: 'refused', problems: listed, ...(encoding === undefined ? {} : { encoding }) };
}
