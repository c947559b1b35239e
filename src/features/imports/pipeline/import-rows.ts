import type { ImportRows } from '../../../platform/database/index.js';
import type { ImportWork } from './import-work.js';

/**
 * The account of an import's rows, in which every row is somewhere: read = accepted + rejected, accepted =
 * matched + created + unknown + duplicate. matched and created count profiles; a further row of the same
 * profile is a duplicate.
 */
export function importRows({ progress }: Pick<ImportWork, 'progress'>): ImportRows {
  const { report, staged, resolved, nextSize = 0 } = progress;
  const rejected = (staged?.rejected ?? 0) + (report?.rejected ?? 0);
  const read = (staged?.rows ?? 0) + (report?.rejected ?? 0);
  const members = (resolved?.matched ?? 0) + (resolved?.created ?? 0);
  const created = resolved?.createdProfiles ?? nextSize;
  return {
    read,
    accepted: read - rejected,
    rejected,
    matched: nextSize - created,
    created,
    unknown: resolved?.unknown ?? 0,
    duplicate: members - nextSize,
    rejectedByReason: report?.rejectedByReason ?? {},
  };
}

/** Sums by key. */
export function addCounts(a: Record<string, number>, b: Record<string, number>): Record<string, number> {
  const total = { ...a };
  for (const [key, count] of Object.entries(b)) total[key] = (total[key] ?? 0) + count;
  return total;
}
