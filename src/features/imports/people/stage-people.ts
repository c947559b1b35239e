import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { HubError } from '../../../domain/errors/index.js';
import { codeOf } from '../../../domain/identities/index.js';
import type { FileShape } from '../../../kit/index.js';
import type { Clock } from '../../../platform/clock/index.js';
import type { Warehouse } from '../../../platform/warehouse/index.js';
import { fileSource, stagePlan } from '../pipeline/bulk-steps.js';
import type { ImportWork } from '../pipeline/import-work.js';
import { addCounts } from '../pipeline/import-rows.js';
import { refusalOf } from '../pipeline/preflight-step.js';
import { explainRows, preflight } from '../preflight/index.js';
import { isSingle, stageFile } from '../sql/stage.js';
import { dropTrialTables, trialTables } from '../sql/tables.js';

/** A file on this machine that names people, with an empty folder for what is made on the way. */
export interface PeopleFile {
  path: string;
  folder: string;
  shape: FileShape;
  workspace: ImportWork['workspace'];
}

/** Rows that name nobody, by reason. */
export type UnusableRows = Record<string, number>;

/**
 * Reads the identities of a file as an import would, without importing anybody. `use` gets a `SELECT type, value` of
 * them, in tables that are gone afterwards. Throws VALIDATION_FAILED where the file as a whole cannot be used.
 */
export async function stagePeople(
  { warehouse, clock }: { warehouse: Warehouse; clock: Clock },
  { path, folder, shape, workspace }: PeopleFile,
  signal: AbortSignal,
  use: (select: string) => Promise<void>,
): Promise<UnusableRows> {
  const files = {
    path,
    shape,
    textPath: join(folder, 'text'),
    cleanPath: join(folder, 'clean'),
    rejectsPath: join(folder, 'rejects.csv'),
  };
  const report = await preflight(files, signal);
  if (report.verdict === 'refused') {
    throw new HubError('VALIDATION_FAILED', `The file cannot be used. ${refusalOf(report.problems).message}`);
  }
  const plan = stagePlan(workspace, report.mapping, []);
  const tables = trialTables(randomUUID(), clock.now());
  const unusable = { ...report.rejectedByReason };
  try {
    const { engine, columns } = report;
    const staged = await stageFile(warehouse, tables, fileSource(engine, columns), plan);
    const [only] = plan.mapping.identities;
    await use(
      isSingle(plan) && only !== undefined
        ? `SELECT toUInt8(${codeOf(only.type)}) AS type, value FROM ${tables.stage} WHERE bad = 0`
        : `SELECT type, value FROM ${tables.stage} WHERE type != 0`,
    );
    if (staged.rejected === 0) return unusable;
  } finally {
    await dropTrialTables(warehouse, tables);
  }
  const region = workspace.settings.defaultPhoneRegion;
  const explained = await explainRows(
    {
      ...files,
      report: { ...report, problems: [] },
      ...(region === undefined ? {} : { defaultRegion: region }),
    },
    signal,
  );
  return addCounts(unusable, explained.rejectedByReason);
}
