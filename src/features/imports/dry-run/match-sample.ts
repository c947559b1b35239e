import { randomUUID } from 'node:crypto';
import { estimateShare } from '../../../domain/imports/index.js';
import type { Warehouse } from '../../../platform/warehouse/index.js';
import { fileSource } from '../pipeline/bulk-steps.js';
import type { AudienceRow, ImportWork } from '../pipeline/import-work.js';
import type { KeyParams } from '../../suppressions/index.js';
import { cleanReading } from '../preflight/engine-reading.js';
import { computeDelta, type DeltaRequest } from '../sql/delta.js';
import { hashFormsIn } from '../sql/hash-forms.js';
import { countKnown, countNewPeople, type ResolveRequest } from '../sql/resolve.js';
import { stageFile, type StagePlan } from '../sql/stage.js';
import { dropTrialTables, trialTables } from '../sql/tables.js';
import { anySuppressed, withhold } from '../sql/withhold.js';

/** How many rows of a file are somebody known. */
export interface Match {
  /** Rows that were looked up; `isWhole`: all that can be used, so the figures are exact. */
  sampledRows: number;
  /** Of those, rows of suppressed people, who are let nowhere. The share is one of the others. */
  suppressedRows: number;
  isWhole: boolean;
  /** Of those, rows of known people. */
  matchedRows: number;
  share: number;
  /** Where the share of the whole file lies in 95 of 100 cases. */
  low: number;
  high: number;
  /** What the refresh would make of the audience; null unless all rows were looked up. */
  sizes: { size: number; added: number; removed: number } | null;
}

interface MatchParts {
  warehouse: Warehouse;
  now: Date;
  /** The key of the suppressions: nobody of them is matched. */
  suppressed: () => Promise<KeyParams>;
}

interface MatchRequest {
  workspace: ImportWork['workspace'];
  plan: StagePlan;
  /** A TabSeparated file of accepted records. */
  sample: { path: string; columns: number; rows: number; isWhole: boolean };
  audience: AudienceRow | undefined;
  create: boolean;
}

/**
 * Looks a sample up with the import's own SQL, in tables of its own: it registers nobody, and what it makes is
 * dropped. Null where the file has hashes of a form that the workspace does not keep yet: an import would work
 * them out for everybody first, and until then nobody is found by them.
 */
export async function matchSample(
  { warehouse, now, suppressed }: MatchParts,
  { workspace, plan, sample, audience, create }: MatchRequest,
  signal: AbortSignal,
): Promise<Match | null> {
  const wanted = hashFormsIn(plan.mapping.identities.map(({ type }) => type));
  if (wanted.some((form) => !plan.hashForms.includes(form))) return null;
  const tables = trialTables(randomUUID(), now);
  const request: ResolveRequest = { workspace: workspace.number, tables, plan, create: false };
  try {
    signal.throwIfAborted();
    await stageFile(warehouse, tables, fileSource(cleanReading(sample.path), sample.columns), plan);
    const suppressedRows = (await anySuppressed(warehouse, workspace.number))
      ? (await withhold(warehouse, request, await suppressed())).rows
      : 0;
    signal.throwIfAborted();
    const { counts, members } = await countKnown(warehouse, request);
    const { matched } = counts;
    signal.throwIfAborted();
    const found = { ...request, members };
    const sizes = sample.isWhole ? await sizesOf(warehouse, found, { audience, create }) : null;
    const { share, low, high } = estimateShare(matched, sample.rows - suppressedRows);
    const range = sample.isWhole ? { low: share, high: share } : { low, high };
    return {
      sampledRows: sample.rows,
      suppressedRows,
      isWhole: sample.isWhole,
      matchedRows: matched,
      share,
      ...range,
      sizes,
    };
  } finally {
    await dropTrialTables(warehouse, tables);
  }
}

async function sizesOf(
  warehouse: Warehouse,
  request: DeltaRequest,
  { audience, create }: Pick<MatchRequest, 'audience' | 'create'>,
) {
  const known = await computeDelta(warehouse, request, {
    id: audience?.id ?? 0,
    version: audience?.version ?? 0,
  });
  const newcomers = create ? await countNewPeople(warehouse, request) : 0;
  const added = known.added + newcomers;
  return { size: (audience?.size ?? 0) + added - known.removed, added, removed: known.removed };
}
