import { sql, eq } from 'drizzle-orm';
import { judgeRefresh } from '../../../domain/imports/index.js';
import type { ColumnMapping } from '../../../domain/identities/index.js';
import { isIdentityType, type IdentityType } from '../../../kit/index.js';
import type { Clock } from '../../../platform/clock/index.js';
import {
  audiences,
  workspaces,
  type Database,
  type ImportProblem,
} from '../../../platform/database/index.js';
import type { Held, Leases } from '../../../platform/lease/index.js';
import { stoppable, type FileSource, type Warehouse } from '../../../platform/warehouse/index.js';
import { identityLease, inAudienceTurn, Ledger, newestSequence } from '../../ledger/index.js';
import { suppressionKey } from '../../suppressions/index.js';
import type { EngineReading } from '../preflight/index.js';
import { logChangedAttributes, sharedInFile } from '../sql/attribute-changes.js';
import { keepAttributes, stageAttributes, type LongValues } from '../sql/attributes.js';
import { blocksOfFile } from '../sql/blocks.js';
import { isRegistered, registerDecisions } from '../sql/decision.js';
import { addsAny, appendDelta, computeDelta, type Delta, type DeltaRequest } from '../sql/delta.js';
import { backfillHashForms, hashFormsIn } from '../sql/hash-forms.js';
import { resolve, type FileMembers, type ResolveCounts, type ResolveRequest } from '../sql/resolve.js';
import { stageFile, type StageCounts, type StagePlan } from '../sql/stage.js';
import { workTables } from '../sql/tables.js';
import { anySuppressed, withhold } from '../sql/withhold.js';
import { announceTaught } from './announce-taught.js';
import { sharedKeys } from './shared-keys.js';
import { StepBack } from './import-failure.js';
import { importRows } from './import-rows.js';
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
    return stageFile(this.warehouse, workTables(work.row.id), fileOf(work), plan);
  }

  /** Only after {@link stage}, with the forms that it was made with. */
  async stageAttributes(work: ImportWork): Promise<LongValues> {
    const plan = this.planOf(work, work.workspace.hashForms);
    return stageAttributes(this.warehouse, workTables(work.row.id), fileOf(work), plan);
  }

  /** Gives the profiles what the file says of them beside their identities. */
  async keepAttributes(work: ImportWork): Promise<void> {
    const { duplicate } = importRows(work);
    const said = { sequence: work.row.sequence, repeats: duplicate > 0 };
    const request = this.requestOf(work);
    const shared = sharedInFile(request, await sharedKeys(this.db, work.workspace.id));
    if (shared.length === 0) return keepAttributes(this.warehouse, request, said);
    await this.leases.exclusively(leaseOf(work), work.signal, async (held) => {
      const warehouse = stoppable(this.warehouse, held);
      await logChangedAttributes(warehouse, request, said, shared);
      await keepAttributes(warehouse, request, said);
      // Told only now that the values are there; also what a run that was cut off had logged.
      const { id, number } = work.workspace;
      await announceTaught(this.db, id)(await newestSequence(warehouse, number));
    });
  }

  /**
   * Under the identity lease of the workspace, so that two imports that meet the same new person make one
   * profile. A hash form that the workspace keeps since the file was staged sends the import back. Suppressed people
   * are left out.
   */
  async resolve(
    work: ImportWork,
    onCounted: (counts: ResolveCounts) => Promise<void>,
  ): Promise<{ members: FileMembers; suppressed: number }> {
    const lease = leaseOf(work);
    return this.leases.exclusively(lease, work.signal, async (held) => {
      // Where the lease is lost, another import decides: nothing may be written after that.
      const warehouse = stoppable(this.warehouse, held);
      const staged = new Set(work.progress.hashForms);
      const kept = await this.keptForms(work.workspace.id);
      if (kept.some((form) => !staged.has(form))) {
        // A run that was cut off may have registered half of what it decided, and staging forgets the rest.
        await registerDecisions(warehouse, work.workspace.number, announceTaught(this.db, work.workspace.id));
        throw new StepBack('stage');
      }
      const suppressed = await this.withhold(work, warehouse);
      const { members } = await resolve(warehouse, this.requestOf(work), onCounted);
      return { members, suppressed };
    });
  }

  /** Takes suppressed people out of the stage; returns how many rows that were. */
  private async withhold(work: ImportWork, warehouse: Warehouse): Promise<number> {
    const { number } = work.workspace;
    if (!(await anySuppressed(warehouse, number))) return 0;
    const request = this.requestOf(work);
    const { rows, anew } = await withhold(warehouse, request, await suppressionKey(this.db));
    if (anew) {
      // A run that was cut off may have decided who they are, and would not decide again.
      await registerDecisions(warehouse, number, announceTaught(this.db, work.workspace.id));
      if (await isRegistered(warehouse, request.tables)) throw new StepBack('stage');
    }
    return rows;
  }

  /** Sends the import back where it would add people who were suppressed since it was resolved. */
  async diff(work: ImportWork): Promise<Delta & { suppressions: number }> {
    const { id, version } = audienceOf(work);
    const { number, suppressionsRevision: suppressions } = work.workspace;
    const request = this.deltaRequestOf(work);
    const delta = await computeDelta(this.warehouse, request, { id, version });
    const leaving = `SELECT mpid FROM erasure_profiles WHERE workspace = ${number}`;
    const anybody = await this.warehouse.query(`${leaving} LIMIT 1`);
    if (anybody.length > 0 && (await addsAny(this.warehouse, request, delta, leaving)))
      throw new StepBack('stage');
    return { ...delta, suppressions };
  }

  /** Runs `write` as the only one that writes versions of the audience, if its version is still the same. */
  async inTurn<T>(work: ImportWork, write: (held: Held) => Promise<T>): Promise<T> {
    const { id, version } = audienceOf(work);
    return inAudienceTurn(this.leases, id, work.signal, async (held) => {
      const [now] = await this.db
        .select({ version: audiences.version })
        .from(audiences)
        .where(eq(audiences.id, id));
      if (now?.version !== version) throw new StepBack('diff');
      return write(held);
    });
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
      ...(work.source.declaredRows === undefined ? {} : { declaredRows: work.source.declaredRows }),
      ...(maxShrinkShare === undefined ? {} : { maxShrinkShare }),
    });
    return verdict.verdict === 'pass'
      ? undefined
      : { code: verdict.code, message: verdict.message, step: 'guard' };
  }

  /** Appends the changes above the published version, where no reader sees them; half an append is undone first. */
  async commit(work: ImportWork): Promise<void> {
    const { id, version } = audienceOf(work);
    const { added, removed } = work.row;
    const delta = { ...deltaOf(work), added: added ?? 0, removed: removed ?? 0 };
    const next = { id, version: version + 1 };
    await this.inTurn(work, async (held) => {
      // Where the turn is lost, somebody else may have published what would be undone here.
      const warehouse = stoppable(this.warehouse, held);
      await new Ledger(warehouse).discardAbove(id, version);
      await appendDelta(warehouse, this.deltaRequestOf(work), delta, next, this.clock.now());
    });
  }

  /** True where the ledger holds what the import meant to write. */
  async ledgerAgrees(work: ImportWork): Promise<boolean> {
    const { id, version } = audienceOf(work);
    const { added, removed } = work.row;
    const { check } = deltaOf(work);
    return this.ledger.holds(id, version + 1, { added: added ?? 0, removed: removed ?? 0, check });
  }

  private deltaRequestOf(work: ImportWork): DeltaRequest {
    const { members } = work.progress;
    if (members === undefined) throw new StepBack('resolve');
    return { ...this.requestOf(work), members };
  }

  private requestOf(work: ImportWork): ResolveRequest {
    const onUnknown = work.input?.onUnknown ?? work.source.onUnknown;
    return {
      workspace: work.workspace.number,
      tables: workTables(work.row.id),
      plan: this.planOf(work),
      create: onUnknown === 'create',
      onTaught: announceTaught(this.db, work.workspace.id),
    };
  }

  private planOf(work: ImportWork, hashForms = work.progress.hashForms ?? []): StagePlan {
    return stagePlan(work.workspace, mappingOf(work), hashForms);
  }

  /** The plan; a file with hashes first makes the workspace keep their forms, for people known already too. */
  private async planWithForms(work: ImportWork): Promise<StagePlan> {
    const wanted = hashFormsIn(mappingOf(work).identities.map((identity) => identity.type));
    const missing = wanted.filter((form) => !work.workspace.hashForms.includes(form));
    if (missing.length > 0) {
      await this.leases.exclusively(leaseOf(work), work.signal, async (held) => {
        const warehouse = stoppable(this.warehouse, held);
        // What another import has decided but not registered yet is to be filled as well, and not contradicted.
        await registerDecisions(warehouse, work.workspace.number, announceTaught(this.db, work.workspace.id));
        // Filled before it is announced: whoever stages with the form can rely on it. Imports that staged
        // without it and register later are sent back by `resolve`.
        await backfillHashForms(warehouse, work.workspace.number, missing);
        held.signal.throwIfAborted();
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

/** How rows of a file with this mapping become identities in this workspace. */
export function stagePlan(
  { settings }: Pick<ImportWork['workspace'], 'settings'>,
  mapping: ColumnMapping,
  hashForms: readonly string[],
): StagePlan {
  const region = settings.defaultPhoneRegion;
  return {
    mapping,
    options: region === undefined ? {} : { defaultRegion: region },
    hashForms: hashForms.filter(isIdentityType),
  };
}

/** The good records of a file, as the engine reads them. */
export function fileSource({ path, format, settings }: EngineReading, columns: number): FileSource {
  const structure = Array.from({ length: columns }, (_, index) => `c${index + 1} String`).join(', ');
  return { path, format, structure, settings };
}

function fileOf(work: ImportWork): FileSource {
  const { engine, columns, sizeBytes } = reportOf(work);
  const settings = { ...engine.settings, ...blocksOfFile(sizeBytes) };
  return fileSource({ ...engine, settings }, columns);
}

/** What the diff found for the version that the audience had; that of another version is worth nothing. */
function deltaOf(work: ImportWork) {
  const { delta } = work.progress;
  if (delta === undefined || work.row.baseVersion !== audienceOf(work).version) throw new StepBack('diff');
  return delta;
}

const leaseOf = (work: ImportWork): string => identityLease(work.workspace.number);
