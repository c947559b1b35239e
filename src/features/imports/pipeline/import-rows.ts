import { rowCountSentence, waterfallOf } from '../../../domain/imports/index.js';
import type { ImportProblem, ImportRows } from '../../../platform/database/index.js';
import type { StageCounts } from '../sql/stage.js';
import type { ImportProgress, ImportWork } from './import-work.js';

/** Reason of the rows of suppressed people: rejected, though nothing is wrong with them (docs/privacy.md). */
const SUPPRESSED = 'SUPPRESSED';

/**
 * The account of an import's rows, in which every row is somewhere: read = accepted + rejected, accepted =
 * matched + created + unknown + duplicate. matched and created count profiles; a further row of the same
 * profile is a duplicate. The waterfall says the same of rows, by the identities that found the profiles.
 */
export function importRows({ progress }: Pick<ImportWork, 'progress'>): ImportRows {
  const { report, staged, resolved, invalidByReason = {}, nextSize = 0, suppressed = 0 } = progress;
  const rejected = (staged?.rejected ?? 0) + (report?.rejected ?? 0) + suppressed;
  const read = (staged?.rows ?? 0) + (report?.rejected ?? 0);
  const members = (resolved?.matched ?? 0) + (resolved?.created ?? 0);
  // An import that was cut off after it had counted may find that others made its new people meanwhile.
  const created = Math.min(resolved?.createdProfiles ?? nextSize, nextSize);
  const invalid = addCounts(report?.rejectedByReason ?? {}, invalidByReason);
  const rejectedByReason = withSuppressed(invalid, suppressed);
  const waterfall = waterfallOf({
    rejectedByReason,
    rejected,
    matchedBy: matchedBy(progress),
    newRows: resolved?.created ?? 0,
    unknown: resolved?.unknown ?? 0,
    newProfiles: created,
    members: nextSize,
  });
  return {
    read,
    accepted: read - rejected,
    rejected,
    matched: nextSize - created,
    created,
    unknown: resolved?.unknown ?? 0,
    duplicate: members - nextSize,
    rejectedByReason,
    ...(resolved === undefined ? {} : { waterfall }),
  };
}

function matchedBy({ report, resolved }: ImportProgress): Record<string, number> {
  if (resolved === undefined) return {};
  if (resolved.matchedBy !== undefined) return resolved.matchedBy;
  const only = report?.mapping.identities[0];
  return only === undefined || resolved.matched === 0 ? {} : { [only.type]: resolved.matched };
}

/** Rejected rows by reason, those of suppressed people among them. */
export function withSuppressed(
  byReason: Readonly<Record<string, number>>,
  suppressed: number,
): Record<string, number> {
  return suppressed === 0 ? { ...byReason } : addCounts(byReason, { [SUPPRESSED]: suppressed });
}

/** Sums by key. */
export function addCounts(
  a: Readonly<Record<string, number>>,
  b: Readonly<Record<string, number>>,
): Record<string, number> {
  const total = { ...a };
  for (const [key, count] of Object.entries(b)) total[key] = (total[key] ?? 0) + count;
  return total;
}

/** The warning of a file whose rows are not as many as its sender declared. */
export function countWarnings(rowsRead: number, declaredRows: number | undefined): ImportProblem[] {
  if (declaredRows === undefined || declaredRows === rowsRead) return [];
  return [{ code: 'ROW_COUNT_DIFFERS', message: rowCountSentence(rowsRead, declaredRows) }];
}

/**
 * What an earlier run counted goes on counting where the file is fetched or staged anew: it may have registered its
 * new people already, and they would be taken for known. Not of rows that are others now.
 */
export function countsStill(
  { resolved, suppressed = 0 }: Pick<ImportProgress, 'resolved' | 'suppressed'>,
  { rows, rejected }: StageCounts,
): Pick<ImportProgress, 'resolved'> {
  if (resolved === undefined) return {};
  const counted = resolved.matched + resolved.created + resolved.unknown;
  return counted === rows - rejected - suppressed ? { resolved } : {};
}
