import { join } from 'node:path';
import { diffMappings, type ColumnMapping } from '../../../domain/identities/index.js';
import { explainRows, preflight, type PreflightReport, type RowProblem } from '../preflight/index.js';
import { ImportFailure } from './import-failure.js';
import { spooledFile } from './fetch-step.js';
import { reportOf, type ImportWork, type UsableReport } from './import-work.js';

function requestOf(work: ImportWork) {
  return {
    path: spooledFile(work),
    shape: work.source.shape,
    cleanPath: join(work.spool, 'clean'),
    rejectsPath: rejectsFile(work),
  };
}

/** CSV of the rejected rows on this machine. */
export const rejectsFile = (work: ImportWork): string => join(work.spool, 'rejects.csv');

/** Reads the whole file once; throws ImportFailure with every problem where it cannot be used. */
export async function preflightSource(
  work: ImportWork,
): Promise<{ report: UsableReport; problems: readonly RowProblem[] }> {
  const report: PreflightReport = await preflight(requestOf(work), work.signal);
  if (report.verdict === 'refused') throw refusal(report.problems);
  const { problems, ...rest } = report;
  return { report: rest, problems };
}

function refusal(problems: readonly RowProblem[]): ImportFailure {
  const [first] = problems;
  const more =
    problems.length > 1 ? ` (and ${problems.length - 1} more problems, see the import's errors)` : '';
  const problem = {
    code: first?.code ?? 'FILE_REFUSED',
    message: `${first?.message ?? 'The file cannot be used.'}${more}`,
    ...(first?.row === null || first?.row === undefined ? {} : { row: first.row }),
    ...(first?.column === null || first?.column === undefined ? {} : { column: first.column }),
  };
  return new ImportFailure(problem, { rows: problems });
}

/** The mapping is locked by the first success: a changed one fails the refresh, the members stay. */
export function assertMappingKept(work: ImportWork, mapping: ColumnMapping): void {
  const locked = work.audience?.mapping as ColumnMapping | null | undefined;
  if (!locked || work.row.released) return;
  const { sentence } = diffMappings(locked, mapping);
  if (sentence === '') return;
  throw new ImportFailure({
    code: 'MAPPING_CHANGED',
    message: `${sentence} The members stay as they were. Upload a file with the columns of the first one, or let an admin release this import to approve the new mapping.`,
  });
}

/** Second reading, only where the engine found invalid values: which rows, and why. */
export async function explainRejects(work: ImportWork) {
  const report = { ...reportOf(work), problems: [] };
  const region = work.workspace.settings.defaultPhoneRegion;
  return explainRows(
    { ...requestOf(work), report, ...(region === undefined ? {} : { defaultRegion: region }) },
    work.signal,
  );
}
