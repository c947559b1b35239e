/** What is counted of an import. */
export interface WaterfallCounts {
  rejected: number;
  rejectedByReason: Readonly<Record<string, number>>;
  /** Matched rows by the strongest identity type that found their profile. */
  matchedBy: Readonly<Record<string, number>>;
  /** Rows of people that nobody knew. */
  newRows: number;
  /** Rows of people that nobody knows and that the input does not create. */
  unknown: number;
  newProfiles: number;
  /** Different profiles in the file. */
  members: number;
}

/**
 * Where the rows of a file went, level by level. Each level is the sum of the one below:
 * rows = rejected + valid; valid = matched + new + unknown; matched + new = members + duplicates;
 * members = known profiles + new profiles. Rejected rows sum up by reason, matched ones by identity type.
 */
export interface Waterfall {
  rows: number;
  rejected: number;
  rejectedByReason: Record<string, number>;
  valid: number;
  /** Rows. */
  matched: number;
  /** Each matched row once, at the strongest identity type that found its profile. */
  matchedBy: Record<string, number>;
  /** Rows. */
  new: number;
  unknown: number;
  /** Rows of somebody whom another row of the file is already. */
  duplicates: number;
  members: number;
  knownProfiles: number;
  newProfiles: number;
  /** matched / valid; null where no row is valid. */
  matchRate: number | null;
}

/** The waterfall of what was counted. */
export function waterfallOf(counts: WaterfallCounts): Waterfall {
  const { rejected, unknown, members, newProfiles } = counts;
  const matched = Object.values(counts.matchedBy).reduce((sum, rows) => sum + rows, 0);
  const valid = matched + counts.newRows + unknown;
  return {
    rows: rejected + valid,
    rejected,
    rejectedByReason: { ...counts.rejectedByReason },
    valid,
    matched,
    matchedBy: { ...counts.matchedBy },
    new: counts.newRows,
    unknown,
    duplicates: matched + counts.newRows - members,
    members,
    knownProfiles: members - newProfiles,
    newProfiles,
    matchRate: valid === 0 ? null : matched / valid,
  };
}
