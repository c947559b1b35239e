import {
  fileProblem,
  MAX_LISTED_PROBLEMS,
  UndecodableError,
  type Encoding,
  type RowProblem,
} from '../../../domain/files/index.js';
import type { FileShape } from '../../../kit/index.js';
import { CleanFile } from './clean-file.js';
import { checkHead, survey, undecodable } from './encoding-check.js';
import { cleanReading, plainReading } from './engine-reading.js';
import { quoteProblem, readLayout, type Layout } from './layout.js';
import { CHUNK_BYTES, LocalFile, type Breathe } from './local-file.js';
import { Rejects } from './rejects-file.js';
import type { EngineReading, PreflightReport, PreflightRequest, RefusedReport } from './report.js';
import { scanRecords } from './scan.js';
import { headerProblems, StructurePass } from './structure-pass.js';

/** Checks a text file. Leaves behind a rejects file, and a clean file where the engine is to read that. */
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

/** The problem of a file that is empty or over its limit. */
export function sizeProblem(sizeBytes: number, { maxBytes }: FileShape): RowProblem | undefined {
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

class FileCheck {
  constructor(
    private readonly request: PreflightRequest,
    private readonly file: LocalFile,
    private readonly breathe: Breathe,
  ) {}

  async run(): Promise<PreflightReport> {
    const size = sizeProblem(this.file.sizeBytes, this.request.shape);
    if (size) return refused([size]);
    const head = this.file.head();
    const start = checkHead(head, this.request.shape);
    if ('problem' in start) return refused([start.problem], { encoding: start.name });
    const { bomBytes } = start;
    let { encoding } = start;
    let layout = this.layoutOf(head, encoding, bomBytes);
    let plain = false;
    if (encoding === 'utf-8') {
      const plainShape = bomBytes === 0 && 'mapping' in layout ? this.plainShapeOf(layout) : undefined;
      const verdict = await survey(this.file, this.request.shape, bomBytes, plainShape, this.breathe);
      if ('problem' in verdict) return refused([verdict.problem], { encoding: verdict.name });
      ({ plain } = verdict);
      if (verdict.encoding !== encoding) {
        ({ encoding } = verdict);
        layout = this.layoutOf(head, encoding, bomBytes);
      }
    }
    if ('problems' in layout) return refused(layout.problems, { encoding });
    const known = { encoding, bomBytes, layout };
    return plain && 'mapping' in layout.mapping ? this.usableAsItIs(known) : this.scan(known);
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
    try {
      const clean = CleanFile.create(this.request.cleanPath);
      try {
        return await this.sort(known, clean, rejects);
      } finally {
        clean.close();
      }
    } catch (error) {
      if (!(error instanceof UndecodableError)) throw error;
      rejects.finish();
      return refused([undecodable(error, known.encoding), ...rejects.problems], foundOf(known, rejects));
    } finally {
      rejects.close();
    }
  }

  private async sort(known: Known, clean: CleanFile, rejects: Rejects): Promise<PreflightReport> {
    const pass = new StructurePass(this.request, known.layout, clean, rejects);
    const reading = { ...known, ...known.layout };
    const fault = await scanRecords(this.file, reading, (record) => pass.take(record), this.breathe);
    const problems = [...(fault ? [quoteProblem(fault)] : []), ...pass.refusals(fault === undefined)];
    if (problems.length > 0) {
      rejects.finish();
      return refused([...problems, ...rejects.problems], foundOf(known, rejects));
    }
    clean.finish();
    return this.usable(known, cleanReading(this.request.cleanPath), rejects, pass.endsMidRecord);
  }

  private usable(
    { encoding, layout }: Known,
    engine: EngineReading,
    rejects: Rejects,
    endsMidRecord: boolean,
  ): PreflightReport {
    if ('problems' in layout.mapping) {
      return refused(
        headerProblems(layout.mapping, layout.headerRow),
        foundOf({ encoding, layout }, rejects),
      );
    }
    return {
      verdict: 'usable',
      encoding,
      delimiter: layout.delimiter,
      mapping: layout.mapping.mapping,
      columns: layout.columns,
      hints: layout.mapping.hints,
      notes: [],
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

/** What is known of a file though it is refused. */
type Found = { [Name in keyof Omit<RefusedReport, 'verdict' | 'problems'>]: RefusedReport[Name] | undefined };

function foundOf({ encoding, layout }: Pick<Known, 'encoding' | 'layout'>, rejects: Rejects): Found {
  const { delimiter, columns, mapping } = layout;
  return { encoding, delimiter, columns, hints: mapping.hints, rejectedByReason: rejects.byReason };
}

/** The report of a file with these problems. */
export function refused(problems: readonly RowProblem[], found: Found = {}): RefusedReport {
  const known = Object.fromEntries(Object.entries(found).filter(([, value]) => value !== undefined));
  return { verdict: 'refused', problems: problems.slice(0, MAX_LISTED_PROBLEMS), ...known };
}
