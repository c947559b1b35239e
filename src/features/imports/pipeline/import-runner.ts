import { createReadStream, existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { ContextFactory } from '../../../host/context/index.js';
import type { Clock } from '../../../platform/clock/index.js';
import type { Database, ImportRows, ImportStep } from '../../../platform/database/index.js';
import type { FileStore } from '../../../platform/files/index.js';
import type { WorkLease } from '../../../platform/lease/index.js';
import type { Logger } from '../../../platform/log/index.js';
import type { Warehouse } from '../../../platform/warehouse/index.js';
import { dropWorkTables } from '../sql/tables.js';
import { ensureAudience } from './audience-step.js';
import type { BulkSteps } from './bulk-steps.js';
import { fetchSource } from './fetch-step.js';
import { ImportFailure, StepBack } from './import-failure.js';
import type { EndState, ImportListener } from './import-listener.js';
import { addCounts, importRows } from './import-rows.js';
import type { ImportRecords } from './import-records.js';
import { audienceOf, mappingOf, reportOf, type ImportRow, type ImportWork } from './import-work.js';
import { assertMappingKept, explainRejects, preflightSource, rejectsFile } from './preflight-step.js';
import { verdictOf } from './verdict.js';

/** What a step leaves: the next step, or `ended` where the import's row says so already. */
type StepResult = ImportStep | 'ended';

/** How long an import waits for an older one of the same source, in milliseconds. */
const TURN_MS = 1000;

export interface RunnerParts {
  db: Database;
  warehouse: Warehouse;
  files: FileStore;
  contexts: ContextFactory;
  clock: Clock;
  log: Logger;
  lease: WorkLease;
  records: ImportRecords;
  steps: BulkSteps;
  listener: ImportListener;
  /** Folder of this process for files being worked on. */
  spoolRoot: string;
}

/** File key of the CSV of all rejected rows of an import. */
export const rejectsKey = (importId: string): string => `imports/${importId}/rejects.csv`;

/**
 * Runs imports step by step. The row says which step is next; each may be run again, so a process that dies
 * at any instruction leaves nothing that the next run does not mend.
 */
export class ImportRunner {
  constructor(private readonly parts: RunnerParts) {}

  /** Does the import's work, if it is free and its turn has come. */
  async run(id: string, signal: AbortSignal): Promise<void> {
    const { lease } = this.parts;
    if (!(await lease.claim(id))) return;
    await lease.during(id, signal, (held) => this.work(id, held));
  }

  private async work(id: string, signal: AbortSignal): Promise<void> {
    const { records } = this.parts;
    const loaded = await records.load(id);
    if (loaded === undefined) return;
    if (await records.waitsFor(loaded.row)) {
      // Waiting for its turn is no attempt.
      const set = { attempts: loaded.row.attempts - 1 };
      await this.putBack(id, loaded.row.step, new Date(this.parts.clock.now().getTime() + TURN_MS), set);
      return;
    }
    const step = this.withFile(id, loaded.row.step);
    try {
      await this.steps(id, step, signal);
    } catch (error) {
      await this.onError(id, error, signal);
    }
  }

  private async steps(id: string, first: ImportStep, signal: AbortSignal): Promise<void> {
    for (let step: StepResult = first; step !== 'ended';) {
      signal.throwIfAborted();
      const work = await this.load(id, signal);
      if (work.audience?.deletedAt) {
        await this.finish(work, 'discarded', () =>
          this.parts.records.end(id, 'discarded', {
            error: {
              code: 'AUDIENCE_DELETED',
              message: 'The audience was deleted while its file was imported.',
            },
          }),
        );
        return;
      }
      this.parts.log.debug({ importId: id, step }, 'import step');
      try {
        step = await this.one(step, work);
      } catch (error) {
        if (!(error instanceof StepBack)) throw error;
        step = this.withFile(id, error.to);
      }
      if (step !== 'ended') await this.parts.records.advance(id, step);
    }
  }

  private async one(step: ImportStep, work: ImportWork): Promise<StepResult> {
    const { id } = work.row;
    const { records, steps, contexts, db } = this.parts;
    switch (step) {
      case 'fetch':
        await fetchSource(work, contexts);
        return 'preflight';
      case 'preflight':
        return this.preflight(work);
      case 'stage':
        return this.stage(work);
      case 'resolve':
        await steps.resolve(work, async (resolved) => {
          if (work.progress.resolved !== undefined) return;
          await records.advance(id, 'resolve', { progress: { ...work.progress, resolved } });
        });
        await ensureAudience(db, work);
        return 'diff';
      case 'diff':
        return this.diff(work);
      case 'guard':
        return this.guard(work);
      case 'commit':
        await steps.commit(work);
        return 'publish';
      case 'publish':
        return this.publish(work);
    }
  }

  private async preflight(work: ImportWork): Promise<StepResult> {
    const { report, problems } = await preflightSource(work);
    assertMappingKept(work, report.mapping);
    await ensureAudience(this.parts.db, work);
    if (problems.length > 0) await this.parts.records.saveProblems(work.row.id, problems);
    const warnings = report.hints.map(({ columnNumber, header, suggestion }) => ({
      code: 'HEADER_HINT',
      message: `Column ${columnNumber} "${header}" is passed over. Did you mean ${suggestion}?`,
    }));
    await this.parts.records.advance(work.row.id, 'preflight', { progress: { report }, warnings });
    return 'stage';
  }

  private async stage(work: ImportWork): Promise<StepResult> {
    const { records, steps } = this.parts;
    const staged = await steps.stage(work);
    const report = { ...reportOf(work) };
    const warnings = [...work.row.warnings];
    if (staged.rejected > 0 || staged.withInvalidCells > 0) {
      const explained = await explainRejects(work);
      await records.saveProblems(work.row.id, explained.problems);
      report.rejectedByReason = addCounts(report.rejectedByReason, explained.rejectedByReason);
      for (const [code, cells] of Object.entries(explained.ignoredCells)) {
        warnings.push({
          code,
          message: `${cells} cells were left out (${code}); their rows have other identities.`,
        });
      }
    }
    await this.keepRejects(work, staged.rejected + report.rejected);
    await records.advance(work.row.id, 'stage', {
      progress: { report, staged, hashForms: work.workspace.hashForms },
      warnings,
    });
    return 'resolve';
  }

  private async diff(work: ImportWork): Promise<StepResult> {
    const { records, steps } = this.parts;
    const audience = audienceOf(work);
    const { added, removed } = await steps.diff(work);
    const nextSize = audience.size + added - removed;
    await records.advance(work.row.id, 'diff', {
      added,
      removed,
      baseVersion: audience.version,
      progress: { ...work.progress, nextSize },
    });
    return 'guard';
  }

  private async guard(work: ImportWork): Promise<StepResult> {
    const { records, steps, listener } = this.parts;
    const audience = audienceOf(work);
    const problem = steps.guard(work);
    if (problem !== undefined) {
      const set = { error: problem, rows: importRows(work), step: 'guard' as const };
      await records.end(work.row.id, 'held', set, (tx) => listener.held(tx, work, problem));
      return 'ended';
    }
    const nothing = work.row.added === 0 && work.row.removed === 0 && audience.version > 0;
    if (!nothing) return 'commit';
    await this.finish(work, 'unchanged', () =>
      records.end(work.row.id, 'unchanged', {
        version: audience.version,
        rows: importRows(work),
        error: null,
      }),
    );
    return 'ended';
  }

  private async publish(work: ImportWork): Promise<StepResult> {
    const { records, steps, listener, clock } = this.parts;
    const audience = audienceOf(work);
    if (work.row.baseVersion !== audience.version) throw new StepBack('diff');
    if (!(await steps.ledgerAgrees(work))) {
      throw new Error('The ledger does not hold the counts that were meant to be written.');
    }
    const { added, removed } = work.row;
    const rows: ImportRows = importRows(work);
    const change = {
      base: audience.version,
      size: work.progress.nextSize ?? 0,
      added: added ?? 0,
      removed: removed ?? 0,
      mapping: mappingOf(work) as unknown as Record<string, unknown>,
      rows,
    };
    if (!(await records.publish(work.row, audience.id, change, clock.now()))) throw new StepBack('diff');
    await this.finish(work, 'published', async () => undefined);
    await listener.published(work, audience.id, audience.version + 1);
    return 'ended';
  }

  private async putBack(id: string, step: ImportStep, notBefore: Date, set: Partial<ImportRow> = {}) {
    const { records, listener, clock } = this.parts;
    await records.putBack(id, step, notBefore, set);
    await listener.waits(id, Math.max(0, notBefore.getTime() - clock.now().getTime()));
  }

  /** Ends the import's row by `end`, then clears what only it needed. */
  private async finish(work: ImportWork, state: EndState, end: () => Promise<void>): Promise<void> {
    await end();
    await this.clear(work);
    await this.parts.listener.ended(work, state);
  }

  /** What cannot be cleared now (on a full disk, say), or is cut off, is left to the sweep. */
  private async clear({ row, spool }: ImportWork): Promise<void> {
    try {
      // First what is sure to give space back.
      await rm(spool, { recursive: true, force: true });
      await dropWorkTables(this.parts.warehouse, row.id);
    } catch (err) {
      this.parts.log.warn({ importId: row.id, err }, 'an ended import could not be cleared up yet');
    }
  }

  private async onError(id: string, error: unknown, signal: AbortSignal): Promise<void> {
    const { records, lease, log, clock, listener } = this.parts;
    if (signal.aborted) {
      await lease.giveBack(id);
      return;
    }
    const work = await this.load(id, signal);
    const verdict = verdictOf(error, work.row.attempts, clock.now());
    if (verdict.what === 'retry') {
      log.warn({ importId: id, code: verdict.code, step: work.row.step }, 'import step failed, trying again');
      await this.putBack(id, verdict.step ?? work.row.step, verdict.notBefore);
      return;
    }
    if (verdict.what === 'superseded') {
      await this.finish(work, 'discarded', () => records.end(id, 'discarded', { error: verdict.problem }));
      await listener.sourceChanged(work);
      return;
    }
    if (verdict.stack !== undefined)
      log.error({ importId: id, err: verdict.stack }, 'import failed unexpectedly');
    if (error instanceof ImportFailure && error.options.rows)
      await records.saveProblems(id, error.options.rows);
    const problem = { ...verdict.problem, step: verdict.problem.step ?? work.row.step };
    await this.finish(work, 'failed', () =>
      records.fail(work.row, problem, verdict.again, (tx) => listener.failed(tx, work, problem)),
    );
  }

  /** A worker that took the import over has no spool; a released one has its tables still. */
  private withFile(id: string, step: ImportStep): ImportStep {
    const needsFile = step === 'preflight' || step === 'stage';
    return needsFile && !existsSync(join(this.spoolOf(id), 'source')) ? 'fetch' : step;
  }

  private async load(id: string, signal: AbortSignal): Promise<ImportWork> {
    const loaded = await this.parts.records.load(id);
    if (loaded === undefined) throw new Error(`The import ${id} is gone.`);
    return { ...loaded, spool: this.spoolOf(id), signal };
  }

  private spoolOf(id: string): string {
    return join(this.parts.spoolRoot, id);
  }

  private async keepRejects(work: ImportWork, rejected: number): Promise<void> {
    if (rejected === 0 || !existsSync(rejectsFile(work))) return;
    await this.parts.files.put(rejectsKey(work.row.id), createReadStream(rejectsFile(work)));
  }
}
