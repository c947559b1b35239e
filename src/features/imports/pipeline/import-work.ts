import type { ColumnMapping, MappingDifference } from '../../../domain/identities/index.js';
import type { FileShape } from '../../../kit/index.js';
import type {
  AudienceKind,
  audiences,
  imports,
  inputs,
  workspaces,
} from '../../../platform/database/index.js';
import type { PreflightReport } from '../preflight/index.js';
import type { Delta } from '../sql/delta.js';
import type { FileMembers, ResolveCounts } from '../sql/resolve.js';
import type { StageCounts } from '../sql/stage.js';

export type ImportRow = typeof imports.$inferSelect;
export type AudienceRow = typeof audiences.$inferSelect;

/** What a scan or a push noted of the source file (`imports.source`). */
export interface NotedSource {
  sizeBytes: number;
  modifiedAt: string;
  shape: FileShape;
  onUnknown: 'reject' | 'create';
  tombstones: boolean;
  /** Of a pushed file: where it waits in the file store, instead of at the source. */
  pushed?: PushedSource;
  /** Kind of the audience that it makes; what the shape says where absent. */
  kind?: AudienceKind;
  /** What the sender said of columns (data partner, hash form), for the steps to read. */
  columnSettings?: Record<string, unknown>;
  /** Rows that the sender says there are. */
  declaredRows?: number;
}

/** A file that was sent to the hub. */
export interface PushedSource {
  fileKey: string;
  /** Days for which the file is kept after the import's end, so that it can be matched anew. */
  keepDays: number;
}

/** The part of a preflight report that later steps need. */
export type UsableReport = Omit<Extract<PreflightReport, { verdict: 'usable' }>, 'problems'>;

/** What the steps have found out so far (`imports.progress`); all of it can be found out again. */
export interface ImportProgress {
  report?: UsableReport;
  /** Why the file is blocked: what its columns change against those in force. */
  mappingChange?: MappingDifference;
  staged?: StageCounts;
  /** Reasons of the rows that have no valid identity. */
  invalidByReason?: Record<string, number>;
  /** Hash forms that the stage was made with; resolving needs the same ones. */
  hashForms?: string[];
  /** `workspaces.suppressionsRevision` when the file was staged, and then when it was compared with the members. */
  suppressions?: number;
  /** Rows of suppressed people, which are left out. */
  suppressed?: number;
  /** Written before anything is registered, so that a second run does not count new people as known. */
  resolved?: ResolveCounts;
  /** Written when everything is registered. */
  members?: FileMembers;
  delta?: Pick<Delta, 'check' | 'from' | 'repeats'>;
  nextSize?: number;
}

/** One import while a worker has it. Steps read it and return what changes. */
export interface ImportWork {
  row: ImportRow;
  source: NotedSource;
  progress: ImportProgress;
  workspace: typeof workspaces.$inferSelect;
  /** Undefined where the input was deleted meanwhile. */
  input: typeof inputs.$inferSelect | undefined;
  audience: AudienceRow | undefined;
  /** Folder on this machine for the file while it is worked on. */
  spool: string;
  signal: AbortSignal;
}

/** The report, or a step back where this worker has none. */
export function mappingOf(work: ImportWork): ColumnMapping {
  return reportOf(work).mapping;
}

export function reportOf(work: ImportWork): UsableReport {
  const { report } = work.progress;
  if (report === undefined) throw new Error('The import has no preflight report; it must be fetched again.');
  return report;
}

export function audienceOf(work: ImportWork): AudienceRow {
  if (work.audience === undefined) throw new Error('The import has no audience yet.');
  return work.audience;
}
