import { join } from 'node:path';
import type { ColumnMapping, HeaderHint, MappingDifference } from '../../../domain/identities/index.js';
import type { FileShape } from '../../../kit/index.js';
import type { Clock } from '../../../platform/clock/index.js';
import type { Database, ImportProblem, ImportRows, OnUnknown } from '../../../platform/database/index.js';
import type { Warehouse } from '../../../platform/warehouse/index.js';
import { suppressionKey } from '../../suppressions/index.js';
import { audienceLimit } from '../pipeline/audience-step.js';
import { stagePlan } from '../pipeline/bulk-steps.js';
import { LISTED_PROBLEMS } from '../pipeline/import-records.js';
import { addCounts, countWarnings, withSuppressed } from '../pipeline/import-rows.js';
import type { AudienceRow, ImportWork } from '../pipeline/import-work.js';
import { mappingChange, mappingChanged, mappingFor, refusalOf } from '../pipeline/preflight-step.js';
import { cellWarnings, columnWarnings, hintWarnings } from '../pipeline/warnings.js';
import {
  explainRows,
  preflight,
  type PreflightReport,
  type PreflightRequest,
  type RowExplanation,
  type RowProblem,
} from '../preflight/index.js';
import { previewGuard, type GuardPreview } from './guard-preview.js';
import { matchSample, type Match } from './match-sample.js';

/** Accepted records that are looked up. The more, the narrower the range of the match rate: 10,000 give ± 1 %. */
const SAMPLE_ROWS = 10_000;

type UsableReport = Extract<PreflightReport, { verdict: 'usable' }>;

/** A file on this machine, and what it would be imported into. */
export interface DryRunRequest {
  path: string;
  /** Empty folder for what is made on the way; the caller deletes it. */
  folder: string;
  shape: FileShape;
  workspace: ImportWork['workspace'];
  /** Undefined: the file would make a new one. */
  audience: AudienceRow | undefined;
  onUnknown: OnUnknown;
  /** As the sender says. */
  declaredRows?: number;
}

/** What the import of a file would come to. */
export interface DryRunResult {
  /** What the import would fail with; null: it would be published, held or unchanged. */
  error: ImportProblem | null;
  sizeBytes: number | null;
  encoding: string | null;
  delimiter: string | null;
  columns: number | null;
  mapping: ColumnMapping | null;
  hints: readonly HeaderHint[];
  endsMidRecord: boolean;
  rows: Pick<ImportRows, 'read' | 'accepted' | 'rejected' | 'rejectedByReason'> | null;
  /** The first 1,000; `problemCounts` goes beyond them. */
  problems: readonly RowProblem[];
  problemCounts: Record<string, number>;
  warnings: ImportProblem[];
  mappingChange: MappingDifference | undefined;
  /** No columns are in force yet. */
  isFirst: boolean;
  match: Match | null;
  guard: GuardPreview | null;
}

export interface DryRunParts {
  db: Database;
  warehouse: Warehouse;
  clock: Clock;
}

/**
 * Does what an import does with a file, up to where it would write: the same preflight and the same rules, and
 * a sample of the rows is looked up. Leaves nothing but files in the folder.
 */
export async function dryRun(
  parts: DryRunParts,
  request: DryRunRequest,
  signal: AbortSignal,
): Promise<DryRunResult> {
  const files: PreflightRequest = {
    path: request.path,
    shape: request.shape,
    textPath: join(request.folder, 'text'),
    cleanPath: join(request.folder, 'clean'),
    rejectsPath: join(request.folder, 'rejects.csv'),
  };
  const read = await preflight(files, signal);
  if (read.verdict === 'refused') return refused(read);
  const report = { ...read, mapping: mappingFor(request.audience, read.mapping) };
  const { settings } = request.workspace;
  const region = settings.defaultPhoneRegion;
  const samplePath = join(request.folder, 'sample');
  const explained = await explainRows(
    {
      ...files,
      report: { ...report, problems: [] },
      sample: { path: samplePath, rows: SAMPLE_ROWS },
      ...(region === undefined ? {} : { defaultRegion: region }),
    },
    signal,
  );
  const match = await matchOf(parts, request, { report, explained, samplePath }, signal);
  return usable(parts, request, { report, explained, match });
}

async function matchOf(
  { db, warehouse, clock }: DryRunParts,
  { workspace, audience, onUnknown }: DryRunRequest,
  { report, explained, samplePath }: { report: UsableReport; explained: RowExplanation; samplePath: string },
  signal: AbortSignal,
): Promise<Match | null> {
  const { sample } = explained;
  if (sample === undefined || sample.rows === 0) return null;
  return matchSample(
    { warehouse, now: clock.now(), suppressed: () => suppressionKey(db) },
    {
      workspace,
      plan: stagePlan(workspace, report.mapping, workspace.hashForms),
      sample: { ...sample, path: samplePath, columns: report.columns },
      audience,
      create: onUnknown === 'create',
    },
    signal,
  );
}

async function usable(
  { db }: DryRunParts,
  { workspace, audience, onUnknown, shape, declaredRows }: DryRunRequest,
  { report, explained, match }: { report: UsableReport; explained: RowExplanation; match: Match | null },
): Promise<DryRunResult> {
  const invalid = report.rejected + explained.rejected;
  const invalidByReason = addCounts(report.rejectedByReason, explained.rejectedByReason);
  // Of a sample they say nothing of the file.
  const suppressed = match?.isWhole ? match.suppressedRows : 0;
  const rows = {
    read: explained.accepted + invalid,
    accepted: explained.accepted - suppressed,
    rejected: invalid + suppressed,
    rejectedByReason: withSuppressed(invalidByReason, suppressed),
  };
  const change = mappingChange(audience, report.mapping);
  const full = audience === undefined ? await audienceLimit(db, workspace) : undefined;
  return {
    error: change === undefined ? (full ?? null) : changeProblem(change),
    sizeBytes: report.sizeBytes,
    // Those of the text that a workbook became say nothing of the workbook.
    encoding: shape.format === 'csv' ? report.encoding : null,
    delimiter: shape.format === 'csv' ? report.delimiter : null,
    columns: report.columns,
    mapping: report.mapping,
    hints: report.hints,
    endsMidRecord: report.endsMidRecord,
    rows,
    problems: [...report.problems, ...explained.problems].slice(0, LISTED_PROBLEMS),
    problemCounts: invalidByReason,
    warnings: [
      ...hintWarnings(report.hints),
      ...columnWarnings(report.mapping),
      ...report.notes,
      ...cellWarnings(explained.ignoredCells),
      ...countWarnings(rows.read, declaredRows),
    ],
    mappingChange: change,
    isFirst: !audience?.mapping,
    match,
    guard: previewGuard({
      workspace,
      audience,
      // Nothing is wrong with the rows of suppressed people.
      rows: { ...rows, rejected: invalid },
      endsMidRecord: report.endsMidRecord,
      match,
      create: onUnknown === 'create',
      ...(declaredRows === undefined ? {} : { declaredRows }),
    }),
  };
}

function refused(report: Extract<PreflightReport, { verdict: 'refused' }>): DryRunResult {
  const { problems, encoding, delimiter, columns, hints, rejectedByReason } = report;
  const listed: Record<string, number> = {};
  for (const { code } of problems) listed[code] = (listed[code] ?? 0) + 1;
  return {
    error: refusalOf(problems),
    sizeBytes: null,
    encoding: encoding ?? null,
    delimiter: delimiter ?? null,
    columns: columns ?? null,
    mapping: null,
    hints: hints ?? [],
    endsMidRecord: false,
    rows: null,
    problems,
    // Counted further than listed, where they are of single records.
    problemCounts: { ...listed, ...rejectedByReason },
    warnings: [],
    mappingChange: undefined,
    isFirst: false,
    match: null,
    guard: null,
  };
}

/** What is known of a file that is refused for its place or size, before it is read. */
export function refusedUnread(problem: ImportProblem): DryRunResult {
  const { code, message } = problem;
  return refused({ verdict: 'refused', problems: [{ row: null, column: null, code, message, value: null }] });
}

/** The words of the failed import, which has an id to approve it by. */
function changeProblem(change: MappingDifference): ImportProblem {
  const { code } = mappingChanged(change, { id: '', audienceId: null }).problem;
  return {
    code,
    message: `${change.sentence} The import would be blocked, and the members stay as they are, until an admin approves the new columns.`,
  };
}
