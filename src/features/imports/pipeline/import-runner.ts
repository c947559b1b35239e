import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { ImportStep } from '../../../platform/database/index.js';
import type { WorkLease } from '../../../platform/lease/index.js';
import { ImportEnds, type EndParts } from './import-ends.js';
import { ImportFailure, StepBack } from './import-failure.js';
import { ImportSteps, type StepParts, type StepResult } from './import-steps.js';
import type { ImportRow, ImportWork } from './import-work.js';
import { verdictOf } from './verdict.js';

/** How long an import waits for an older one of the same source, in milliseconds. */
const TURN_MS = 1000;

export interface RunnerParts extends EndParts, StepParts {
  lease: WorkLease;
  /** Folder of this process for files being worked on. */
  spoolRoot: string;
}

/**
 * Runs imports step by step. The row says which step is next; each may be run again, so a process that dies
 * at any instruction leaves nothing that the next run does not mend.
 */
export class ImportRunner {
  private readonly ends: ImportEnds;
  private readonly each: ImportSteps;

  constructor(private readonly parts: RunnerParts) {
    this.ends = new ImportEnds(parts);
    this.each = new ImportSteps(parts, this.ends);
  }

  /** Does the import's work, if it is free and its turn has come. */
  async run(id: string, signal: AbortSignal): Promise<void> {
    const { lease } = this.parts;
    if (!(await lease.claim(id))) return;
    await lease.during(id, signal, (held) => this.work(id, held.signal));
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
        await this.ends.finish(work, 'discarded', () =>
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
      const left = await this.each.one(step, work).catch((error: unknown): StepResult => {
        if (!(error instanceof StepBack)) throw error;
        return { next: this.withFile(id, error.to) };
      });
      if (left === 'ended') return;
      step = left.next;
      await this.parts.records.advance(id, step, left.set);
    }
  }

  private async putBack(id: string, step: ImportStep, notBefore: Date, set: Partial<ImportRow> = {}) {
    const { records, listener, clock } = this.parts;
    await records.putBack(id, step, notBefore, set);
    await listener.waits(id, Math.max(0, notBefore.getTime() - clock.now().getTime()));
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
      await this.ends.finish(work, 'discarded', () =>
        records.end(id, 'discarded', { error: verdict.problem }),
      );
      await listener.sourceChanged(work);
      return;
    }
    if (verdict.stack !== undefined)
      log.error({ importId: id, err: verdict.stack }, 'import failed unexpectedly');
    if (error instanceof ImportFailure && error.options.rows)
      await records.saveProblems(id, error.options.rows);
    const problem = { ...verdict.problem, step: verdict.problem.step ?? work.row.step };
    await this.ends.finish(work, 'failed', () =>
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
}
