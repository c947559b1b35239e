import type { ImportProblem, Transaction } from '../../../platform/database/index.js';
import type { ImportWork } from './import-work.js';

/** How an import ended. */
export type EndState = 'published' | 'unchanged' | 'failed' | 'discarded';

/**
 * Who hears how imports go on. With a transaction: part of the change itself. Without: after the row was
 * written, where a process may die before it; whoever needs it looks again in a sweep.
 */
export interface ImportListener {
  /** A version became visible. */
  published(work: ImportWork, audienceId: number, version: number): Promise<void>;
  failed(tx: Transaction, work: ImportWork, problem: ImportProblem): Promise<void>;
  held(tx: Transaction, work: ImportWork, problem: ImportProblem): Promise<void>;
  /** The file took effect, or had nothing to change. */
  succeeded(tx: Transaction, work: ImportWork): Promise<void>;
  /** The import waits in the queue for so long. */
  waits(importId: string, delayMs: number): Promise<void>;
  /** The source is another one by now: list it anew. */
  sourceChanged(work: ImportWork): Promise<void>;
  /** The import is at its end, whatever that is: the next one of the same source may begin. */
  ended(work: ImportWork, state: EndState): Promise<void>;
}
