import { randomUUID } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { mapColumns } from '../../../../domain/identities/index.js';
import type { DataPartners, IdentityType } from '../../../../kit/index.js';
import type { Warehouse } from '../../../../platform/warehouse/index.js';
import type { Ledger } from '../../../ledger/index.js';
import { appendDelta, computeDelta } from '../delta.js';
import { resolve, type FileMembers, type ResolveRequest } from '../resolve.js';
import { stageFile } from '../stage.js';
import { dropWorkTables, workTables } from '../tables.js';

/** Where files are imported. */
export interface Bench {
  warehouse: Warehouse;
  ledger: Ledger;
  folder: string;
}

/** A file to be imported as the next version of an audience. */
export interface Run {
  workspace: number;
  audience: { id: number; version: number };
  header: string[];
  rows: string[][];
  create?: boolean;
  mpidBits?: number;
  hashForms?: IdentityType[];
  maxChurn?: number;
  partners?: DataPartners;
  /** Called with the request between resolving and the delta; tells where the members stand then. */
  between?: (request: ResolveRequest) => Promise<FileMembers>;
}

/** Does the engine's steps of one import, of a file that is written for it. */
export async function importInto({ warehouse, ledger, folder }: Bench, run: Run) {
  const importId = randomUUID();
  const mapped = mapColumns(run.header, undefined, run.partners);
  if ('problems' in mapped) throw new Error(JSON.stringify(mapped.problems));
  const path = join(folder, importId);
  await writeFile(path, run.rows.map((row) => `${row.join('\t')}\n`).join(''));
  const tables = workTables(importId);
  const plan = { mapping: mapped.mapping, options: {}, hashForms: run.hashForms ?? [] };
  const structure = run.header.map((_, index) => `c${index + 1} String`).join(', ');
  const staged = await stageFile(warehouse, tables, { path, format: 'TabSeparated', structure }, plan);
  const request: ResolveRequest = {
    workspace: run.workspace,
    tables,
    plan,
    create: run.create ?? true,
    ...(run.mpidBits === undefined ? {} : { mpidBits: run.mpidBits }),
  };
  const { counts: resolved, members } = await resolve(warehouse, request);
  const again = await run.between?.(request);
  const { maxChurn } = run;
  const changes = { ...request, members: again ?? members, ...(maxChurn === undefined ? {} : { maxChurn }) };
  const delta = await computeDelta(warehouse, changes, run.audience);
  const next = { id: run.audience.id, version: run.audience.version + 1 };
  await appendDelta(warehouse, changes, delta, next, new Date());
  const holds = await ledger.holds(next.id, next.version, delta);
  if (!holds) throw new Error('The ledger does not hold what the delta says.');
  await dropWorkTables(warehouse, importId);
  const { added, removed } = delta;
  return { staged, resolved, delta: { added, removed } };
}
