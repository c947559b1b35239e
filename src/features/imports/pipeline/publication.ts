import type { ImportStep } from '../../../platform/database/index.js';
import { StepBack } from './import-failure.js';
import type { Publication } from './import-records.js';
import { importRows } from './import-rows.js';
import { audienceOf, mappingOf, type ImportWork } from './import-work.js';

const AFTER_DIFF: readonly ImportStep[] = ['guard', 'commit', 'publish'];

/** Back to the comparison with the members where somebody was suppressed since. */
export function requireCurrent(step: ImportStep, { progress, workspace }: ImportWork): void {
  if (AFTER_DIFF.includes(step) && progress.suppressions !== workspace.suppressionsRevision) {
    throw new StepBack('diff');
  }
}

/** What the version that the ledger holds already is published with. */
export function publicationOf(work: ImportWork): Publication {
  const { row, progress } = work;
  return {
    base: audienceOf(work).version,
    size: progress.nextSize ?? 0,
    added: row.added ?? 0,
    removed: row.removed ?? 0,
    mapping: mappingOf(work),
    rows: importRows(work),
    suppressions: progress.suppressions ?? 0,
  };
}
