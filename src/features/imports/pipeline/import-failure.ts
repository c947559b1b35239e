import type { ImportProblem } from '../../../platform/database/index.js';
import type { RowProblem } from '../preflight/index.js';

/**
 * Ends an import as `failed`; members stay as they were.
 *
 * `again` = the cause is not in the file (full disk, revoked key): the next scan takes the same revision up
 * again. Otherwise the key waits for a corrected file.
 */
export class ImportFailure extends Error {
  override readonly name = 'ImportFailure';

  constructor(
    readonly problem: ImportProblem,
    readonly options: { again?: boolean; rows?: readonly RowProblem[]; cause?: unknown } = {},
  ) {
    super(problem.message, { cause: options.cause });
  }
}

/** The step cannot go on from here; an earlier one has to be done again. */
export class StepBack extends Error {
  override readonly name = 'StepBack';

  constructor(readonly to: 'fetch' | 'stage' | 'resolve' | 'diff') {
    super(`The import goes back to the step ${to}.`);
  }
}
