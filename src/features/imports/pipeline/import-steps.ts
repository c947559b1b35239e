import { createReadStream, existsSync } from 'node:fs';
import type { ContextFactory } from '../../../host/context/index.js';
import type { Clock } from '../../../platform/clock/index.js';
import type { Database, ImportStep, Transaction } from '../../../platform/database/index.js';
import type { FileStore } from '../../../platform/files/index.js';
import { approvalNeeded, REJECTED } from '../approval/approval-problems.js';
import { warmUp } from '../preflight/index.js';
import { ensureAudience } from './audience-step.js';
import type { BulkSteps } from './bulk-steps.js';
import { fetchSource } from './fetch-step.js';
import type { ImportEnds } from './import-ends.js';
import { StepBack } from './import-failure.js';
import type { ImportListener } from './import-listener.js';
import { LISTED_PROBLEMS, type ImportRecords } from './import-records.js';
import { countsStill, countWarnings, importRows } from './import-rows.js';
import { audienceOf, reportOf, type ImportRow, type ImportWork, type UsableReport } from './import-work.js';
import {
  explainRejects,
  mappingChange,
  mappingChanged,
  preflightSource,
  rejectsFile,
} from './preflight-step.js';
import { publicationOf, requireCurrent } from './publication.js';
import { cellWarnings, columnWarnings, hintWarnings, longValueWarnings } from './warnings.js';

/** What a step leaves: the next one and what is written together with it, or `ended` where the row says so already. */
export type StepResult = { next: ImportStep; set?: Partial<ImportRow> } | 'ended';

export interface StepParts {
  db: Database;
  files: FileStore;
  contexts: ContextFactory;
  clock: Clock;
  records: ImportRecords;
  steps: BulkSteps;
  listener: ImportListener;
}

/** File key of the CSV of all rejected rows of an import. */
export const rejectsKey = (importId: string): string => `imports/${importId}/rejects.csv`;

/** The steps of an import, one after another. Each may be run again after dying anywhere in it. */
export class ImportSteps {
  constructor(
    private readonly parts: StepParts,
    private readonly ends: ImportEnds,
  ) {}

  /** Does a step. Throws StepBack where an earlier one has to be done anew. */
  async one(step: ImportStep, work: ImportWork): Promise<StepResult> {
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
    await this.ends.finish(work, 'unchanged', () =>
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
    await this.ends.finish(work, 'discarded', () =>
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
    const done = await steps.inTurn(work, async ({ signal }) => {
      if (!(await steps.ledgerAgrees(work))) {
        throw new Error('The ledger does not hold the counts that were meant to be written.');
      }
      signal.throwIfAborted();
      return records.publish(work.row, audience.id, change, clock.now(), also);
    });
    if (!done) throw new StepBack('diff');
    await this.ends.finish(work, 'published', async () => undefined);
    await listener.published(work, audience.id, audience.version + 1);
    return 'ended';
  }

  private async keepRejects(work: ImportWork, rejected: number): Promise<void> {
    if (rejected === 0 || !existsSync(rejectsFile(work))) return;
    await this.parts.files.put(rejectsKey(work.row.id), createReadStream(rejectsFile(work)));
  }
}
