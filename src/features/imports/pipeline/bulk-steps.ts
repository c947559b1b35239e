import { sql, eq } from 'drizzle-orm';
import { judgeRefresh } from '../../../domain/imports/index.js';
import { isIdentityType, type IdentityType } from '../../../kit/index.js';
import type { Clock } from '../../../platform/clock/index.js';
import { workspaces, type Database, type ImportProblem } from '../../../platform/database/index.js';
import type { Leases } from '../../../platform/lease/index.js';
import type { FileSource, Warehouse } from '../../../platform/warehouse/index.js';
import type { Ledger } from '../../ledger/index.js';
import { registerDecisions } from '../sql/decision.js';
import { appendDelta, computeDelta, type DeltaCounts } from '../sql/delta.js';
import { backfillHashForms, hashFormsIn } from '../sql/hash-forms.js';
import { resolve, type ResolveCounts, type ResolveRequest } from '../sql/resolve.js';
import { stageFile, type StageCounts, type StagePlan } from '../sql/stage.js';
import { workTables } from '../sql/tables.js';
import { StepBack } from './import-failure.js';
import { audienceOf, mappingOf, reportOf, type ImportWork } from './import-work.js';

/** The steps that the engine does, in sets. Each may be run again after dying anywhere in it. */
export class BulkSteps {
  constructor(
    private readonly db: Database,
    private readonly warehouse: Warehouse,
    private readonly ledger: Ledger,
    private readonly leases: Leases,
    private readonly clock: Clock,
  ) {}

  async stage(work: ImportWork): Promise<StageCounts> {
    const plan = await this.planWithForms(work);
    const { engine, columns } = reportOf(work);
    const structure = Array.from({ length: columns }, (_, index) => `c${index + 1} String`).join(', ');
    const file: FileSource = {
      path: engine.path,
      format: engine.format,
      structure,
      settings: engine.settings,
    };
    return stageFile(this.warehouse, workTables(work.row.id), file, plan);
  }

  /**
   * Under the identity lease of the workspace, so that two imports that meet the same new person make one
   * profile. A hash form that the workspace keeps since the file was staged sends the import back.
   */
  async resolve(work: ImportWork, onCounted: (counts: ResolveCounts) => Promise<void>): Promise<void> {
    const lease = identityLease(work);
    await this.leases.exclusively(lease, work.signal, async () => {
      const staged = new Set(work.progress.hashForms);
      const kept = await this.keptForms(work.workspace.id);
      if (kept.some((form) => !staged.has(form))) {
        // A run that was cut off may have registered half of what it decided, and staging forgets the rest.
        await registerDecisions(this.warehouse, work.workspace.number);
        throw new StepBack('stage');
      }
      await resolve(this.warehouse, this.requestOf(work), onCounted);
    });
  }

  async diff(work: ImportWork): Promise<DeltaCounts> {
    const { id, version } = audienceOf(work);
    return computeDelta(this.warehouse, this.requestOf(work), { id, version });
  }

  /** Why the refresh has to be held, or undefined where it may go on. */
  guard(work: ImportWork): ImportProblem | undefined {
    if (work.row.released) return undefined;
    const { report, staged, nextSize = 0 } = work.progress;
    const { maxShrinkShare } = work.workspace.settings;
    const rejected = (staged?.rejected ?? 0) + (report?.rejected ?? 0);
    const verdict = judgeRefresh({
      previousSize: audienceOf(work).size,
      nextSize,
      added: work.row.added ?? 0,
      removed: work.row.removed ?? 0,
      rowsRead: (staged?.rows ?? 0) + (report?.rejected ?? 0),
      rowsRejected: rejected,
      endsMidRecord: report?.endsMidRecord ?? false,
      ...(maxShrinkShare === undefined ? {} : { maxShrinkShare }),
    });
    return verdict.verdict === 'pass'
      ? undefined
      : { code: verdict.code, message: verdict.message, step: 'guard' };
  }

  /** Appends the changes above the published version, where no reader sees them; half an append is undone first. */
  async commit(work: ImportWork): Promise<void> {
    const { id, version } = audienceOf(work);
    await this.ledger.discardAbove(id, version);
    const { delta } = workTables(work.row.id);
    await appendDelta(this.warehouse, delta, { id, version: version + 1 }, this.clock.now());
  }

  /** True where the ledger holds what the import meant to write. */
  async ledgerAgrees(work: ImportWork): Promise<boolean> {
    const { id, version } = audienceOf(work);
    const counts = await this.ledger.countsOf(id, version + 1);
    return counts.added === work.row.added && counts.removed === work.row.removed;
  }

  private requestOf(work: ImportWork): ResolveRequest {
    const onUnknown = work.input?.onUnknown ?? work.source.onUnknown;
    return {
      workspace: work.workspace.number,
      tables: workTables(work.row.id),
      plan: this.planOf(work),
      create: onUnknown === 'create',
    };
  }

  private planOf(work: ImportWork, hashForms = work.progress.hashForms ?? []): StagePlan {
    const region = work.workspace.settings.defaultPhoneRegion;
    return {
      mapping: mappingOf(work),
      options: region === undefined ? {} : { defaultRegion: region },
      hashForms: hashForms.filter(isIdentityType),
    };
  }

  /** The plan; a file with hashes first makes the workspace keep their forms, for people known already too. */
  private async planWithForms(work: ImportWork): Promise<StagePlan> {
    const wanted = hashFormsIn(mappingOf(work).identities.map((identity) => identity.type));
    const missing = wanted.filter((form) => !work.workspace.hashForms.includes(form));
    if (missing.length > 0) {
      await this.leases.exclusively(identityLease(work), work.signal, async () => {
        // What another import has decided but not registered yet is to be filled as well, and not contradicted.
        await registerDecisions(this.warehouse, work.workspace.number);
        // Filled before it is announced: whoever stages with the form can rely on it. Imports that staged
        // without it and register later are sent back by `resolve`.
        await backfillHashForms(this.warehouse, work.workspace.number, missing);
        work.workspace.hashForms = await this.announceForms(work.workspace.id, missing);
      });
    }
    return this.planOf(work, work.workspace.hashForms);
  }

  private async announceForms(workspaceId: string, forms: readonly IdentityType[]): Promise<string[]> {
    const [row] = await this.db
      .update(workspaces)
      .set({
        hashForms: sql`(select array_agg(distinct form) from unnest(${workspaces.hashForms} || ${sql.param([...forms])}::text[]) as form)`,
      })
      .where(eq(workspaces.id, workspaceId))
      .returning({ hashForms: workspaces.hashForms });
    return row?.hashForms ?? [];
  }

  private async keptForms(workspaceId: string): Promise<string[]> {
    const [row] = await this.db
      .select({ hashForms: workspaces.hashForms })
      .from(workspaces)
      .where(eq(workspaces.id, workspaceId));
    return row?.hashForms ?? [];
  }
}

const identityLease = (work: ImportWork): string => `identities:${work.workspace.number}`;
