import { createReadStream, existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { ContextFactory } from '../../../host/context/index.js';
import type { Clock } from '../../../platform/clock/index.js';
import type { Database, ImportStep, Transaction } from '../../../platform/database/index.js';
import type { FileStore } from '../../../platform/files/index.js';
import type { WorkLease } from '../../../platform/lease/index.js';
import type { Logger } from '../../../platform/log/index.js';
import type { Warehouse } from '../../../platform/warehouse/index.js';
import { dropWorkTables } from '../sql/tables.js';
import { approvalNeeded, REJECTED } from '../approval/approval-problems.js';
import { ensureAudience } from './audience-step.js';
import type { BulkSteps } from './bulk-steps.js';
import { fetchSource } from './fetch-step.js';
import { warmUp } from '../preflight/index.js';
import { ImportFailure, StepBack } from './import-failure.js';
import type { EndState, ImportListener } from './import-listener.js';
import { countsStill, countWarnings, importRows } from './import-rows.js';
import { LISTED_PROBLEMS, type ImportRecords } from './import-records.js';
import { audienceOf, reportOf, type ImportRow, type ImportWork, type UsableReport } from './import-work.js';
import {
  explainRejects,
  mappingChange,
  mappingChanged,
  preflightSource,
  rejectsFile,
} from './preflight-step.js';
import { cellWarnings, columnWarnings, hintWarnings, longValueWarnings } from './warnings.js';
import { publicationOf, requireCurrent } from './publication.js';
import { verdictOf } from './verdict.js';

/** What a step leaves: the next one and what is written together with it, or `ended` where the row says so already. */
type StepResult = { next: ImportStep; set?: Partial<ImportRow> } | 'ended';

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
    for (let step = first; ;) {
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
      const left = await this.one(step, work).catch((error: unknown): StepResult => {
        if (!(error instanceof StepBack)) throw error;
        return { next: this.withFile(id, error.to) };
      });
      if (left === 'ended') return;
      step = left.next;
      await this.parts.records.advance(id, step, left.set);
    }
  }

  private async one(step: ImportStep, work: ImportWork): Promise<StepResult> {
    const { steps, contexts, files } = this.parts;
    requireCurrent(step, work);
    switch (step) {
      case 'fetch':
        warmUp();
        await fetchSource(work, contexts, files);
        return { next: 'preflight' };
      case 'preflight':
        return this.preflight(work);
      case 'stage':
        return this.stage(work);
      case 'resolve':
        return this.resolve(work);
      case 'diff':
        return this.diff(work);
      case 'guard':
        return this.guard(work);
      case 'commit':
        await steps.commit(work);
        return { next: 'publish' };
      case 'publish':
        return this.publish(work);
    }
  }

  private async preflight(work: ImportWork): Promise<StepResult> {
    const { report, problems } = await preflightSource(work);
    await this.assertMappingKept(work, report);
    await ensureAudience(this.parts.db, work);
    if (problems.length > 0) await this.parts.records.saveProblems(work.row.id, problems);
    const warnings = [...hintWarnings(report.hints), ...columnWarnings(report.mapping), ...report.notes];
    const { resolved, suppressed } = work.progress;
    const progress = { report, ...(resolved === undefined ? {} : { resolved, suppressed }) };
    return { next: 'stage', set: { progress, warnings } };
  }

  /** Leaves the difference with the import before it fails, for whoever has to decide about it. */
  private async assertMappingKept(work: ImportWork, report: UsableReport): Promise<void> {
    const change = mappingChange(work.audience, report.mapping);
    if (change === undefined) return;
    const progress = { ...work.progress, report, mappingChange: change };
    await this.parts.records.advance(work.row.id, work.row.step, { progress });
    throw mappingChanged(change, work.row);
  }

  private async stage(work: ImportWork): Promise<StepResult> {
    const { records, steps } = this.parts;
    const staged = await steps.stage(work);
    const report = reportOf(work);
    let invalidByReason: Record<string, number> = {};
    const found = countWarnings(staged.rows + report.rejected, work.source.declaredRows);
    if (staged.rejected > 0 || staged.withInvalidCells > 0) {
      const explained = await explainRejects(work);
      // Behind the problems that the preflight found.
      await records.saveProblems(work.row.id, explained.problems, Math.min(report.rejected, LISTED_PROBLEMS));
      invalidByReason = explained.rejectedByReason;
      found.unshift(...cellWarnings(explained.ignoredCells));
    }
    found.push(...longValueWarnings(report.mapping, await steps.stageAttributes(work)));
    // A file that is staged again has given them before.
    const before = work.row.warnings.filter(({ code }) => !found.some((warning) => warning.code === code));
    const warnings = [...before, ...found];
    await this.keepRejects(work, staged.rejected + report.rejected);
    const { hashForms, suppressionsRevision: suppressions } = work.workspace;
    const resolved = countsStill(work.progress, staged);
    const progress = { report, staged, invalidByReason, hashForms, suppressions, ...resolved };
    return { next: 'resolve', set: { progress, warnings } };
  }

  private async resolve(work: ImportWork): Promise<StepResult> {
    const { records, steps, db } = this.parts;
    let { progress } = work;
    const { members, suppressed } = await steps.resolve(work, async (resolved) => {
      if (progress.resolved !== undefined) return;
      progress = { ...progress, resolved };
      await records.advance(work.row.id, 'resolve', { progress: { ...progress } });
    });
    await ensureAudience(db, work);
    return { next: 'diff', set: { progress: { ...progress, members, suppressed } } };
  }

  private async diff(work: ImportWork): Promise<StepResult> {
    const { steps } = this.parts;
    const audience = audienceOf(work);
    // Another mapping may have been approved since the preflight; publishing comes back here where it was.
    await this.assertMappingKept(work, reportOf(work));
    const { suppressions, added, removed, ...delta } = await steps.diff(work);
    const nextSize = audience.size + added - removed;
    const progress = { ...work.progress, delta, nextSize, suppressions };
    return { next: 'guard', set: { added, removed, baseVersion: audience.version, progress } };
  }

  private async guard(work: ImportWork): Promise<StepResult> {
    const { records, steps, listener } = this.parts;
    const audience = audienceOf(work);
    if (audience.approval === 'rejected') return this.rejected(work);
    const problem = steps.guard(work) ?? approvalNeeded(audience);
    if (problem !== undefined) {
      const set = { error: problem, rows: importRows(work), step: 'guard' as const };
      await records.end(work.row.id, 'held', set, (tx) => listener.held(tx, work, problem));
      return 'ended';
    }
    // Before the import can end: a file may say something new of the same members.
    await steps.keepAttributes(work);
    const nothing = work.row.added === 0 && work.row.removed === 0 && audience.version > 0;
    if (!nothing) return { next: 'commit' };
    await this.finish(work, 'unchanged', () =>
      records.end(
        work.row.id,
        'unchanged',
        { version: audience.version, rows: importRows(work), error: null },
        (tx) => listener.succeeded(tx, work),
      ),
    );
    return 'ended';
  }

  private async rejected(work: ImportWork): Promise<StepResult> {
    await this.finish(work, 'discarded', () =>
      this.parts.records.end(work.row.id, 'discarded', { error: REJECTED, rows: importRows(work) }),
    );
    return 'ended';
  }

  private async publish(work: ImportWork): Promise<StepResult> {
    const { records, steps, listener, clock } = this.parts;
    const audience = audienceOf(work);
    if (work.row.baseVersion !== audience.version) throw new StepBack('diff');
    const change = publicationOf(work);
    const also = (tx: Transaction) => listener.succeeded(tx, work);
    const done = await steps.inTurn(work, async (signal) => {
      if (!(await steps.ledgerAgrees(work))) {
        throw new Error('The ledger does not hold the counts that were meant to be written.');
      }
      signal.throwIfAborted();
      return records.publish(work.row, audience.id, change, clock.now(), also);
    });
    if (!done) throw new StepBack('diff');
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
    await this.clear(work, state);
    await this.parts.listener.ended(work, state);
  }

  /** What cannot be cleared now (on a full disk, say), or is cut off, is left to the sweep. */
  private async clear({ row, spool, source }: ImportWork, state: EndState): Promise<void> {
    try {
      // First what is sure to give space back.
      await rm(spool, { recursive: true, force: true });
      // What failed may be taken up again; the sweep of uploads knows for how long.
      if (source.pushed?.keepDays === 0 && state !== 'failed')
        await this.parts.files.delete(source.pushed.fileKey);
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
