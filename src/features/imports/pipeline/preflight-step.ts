import { join } from 'node:path';
import {
  diffMappings,
  keepingNamespaces,
  type ColumnMapping,
  type MappingDifference,
} from '../../../domain/identities/index.js';
import { explainRows, preflight, type PreflightReport, type RowProblem } from '../preflight/index.js';
import type { ImportProblem } from '../../../platform/database/index.js';
import { ImportFailure } from './import-failure.js';
import { spooledFile } from './fetch-step.js';
import {
  reportOf,
  type AudienceRow,
  type ImportRow,
  type ImportWork,
  type UsableReport,
} from './import-work.js';

function requestOf(work: ImportWork) {
  return {
    path: spooledFile(work),
    shape: work.source.shape,
    textPath: join(work.spool, 'text'),
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
  if (report.verdict === 'refused') {
    throw new ImportFailure(refusalOf(report.problems), { rows: report.problems });
  }
  const { problems, ...rest } = report;
  return { report: { ...rest, mapping: mappingFor(work.audience, rest.mapping) }, problems };
}

/** What an import of a refused file fails with. */
export function refusalOf(problems: readonly RowProblem[]): ImportProblem {
  const [first] = problems;
  const more =
    problems.length > 1 ? ` (and ${problems.length - 1} more problems, see the import's errors)` : '';
  return {
    code: first?.code ?? 'FILE_REFUSED',
    message: `${first?.message ?? 'The file cannot be used.'}${more}`,
    ...(first?.row === null || first?.row === undefined ? {} : { row: first.row }),
    ...(first?.column === null || first?.column === undefined ? {} : { column: first.column }),
  };
}

/** How the file's columns are read for this audience: ids of old audiences as when their mapping was locked. */
export function mappingFor(
  audience: Pick<AudienceRow, 'mapping'> | undefined,
  mapping: ColumnMapping,
): ColumnMapping {
  const locked = audience?.mapping as ColumnMapping | null | undefined;
  return locked ? keepingNamespaces(locked, mapping) : mapping;
}

/** What the file's columns change against those in force; undefined where the contract is kept, or there is none yet. */
export function mappingChange(
  audience: Pick<AudienceRow, 'mapping'> | undefined,
  mapping: ColumnMapping,
): MappingDifference | undefined {
  const locked = audience?.mapping as ColumnMapping | null | undefined;
  if (!locked) return undefined;
  const change = diffMappings(locked, mapping);
  return change.sentence === '' ? undefined : change;
}

/** The mapping is a contract: a file that changes it is not imported until an admin approves the new one. */
export function mappingChanged(
  change: MappingDifference,
  { id, audienceId }: Pick<ImportRow, 'id' | 'audienceId'>,
): ImportFailure {
  return new ImportFailure({
    code: 'MAPPING_CHANGED',
    message: `${change.sentence} The members stay as they were. Upload a file with the columns of before, or let an admin approve the new ones: POST /api/v1/audiences/${audienceId}/mapping/approve with {"importId": "${id}"}.`,
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
