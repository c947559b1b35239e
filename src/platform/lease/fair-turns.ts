import type { WorkQueue } from '../queue/index.js';
import type { WorkLease } from './work-lease.js';

/** How often a row in one process lets others go first before it is taken whatever waits. */
const MOST_PASSES = 3;
/** Rows whose passes are remembered; a row that went to another process would be for ever. */
const REMEMBERED = 10_000;

/**
 * Lets the seats (workspaces) take turns, whatever order their hints came in: a seat with one file does not wait
 * behind another's hundred. The database says whose turn it is, so that it holds for all processes and either
 * queue. A row whose seat is not next goes behind the hints that wait, and a row of the seat that is goes before
 * them; each row is still worked on under its own hint.
 */
export class FairTurns {
  readonly #passes = new Map<string, number>();

  constructor(
    private readonly queue: WorkQueue,
    private readonly lease: WorkLease,
  ) {}

  /**
   * True where the row is to be worked on now; false where another seat's goes first and the row was queued again.
   * Killed in between, the row has no hint, and the sweep makes one.
   */
  async comes(id: string): Promise<boolean> {
    const passes = this.#passes.get(id) ?? 0;
    this.#passes.delete(id);
    if (passes >= MOST_PASSES) return true;
    const before = await this.lease.before(id);
    if (before === undefined) return true;
    if (this.#passes.size >= REMEMBERED) this.#passes.clear();
    this.#passes.set(id, passes + 1);
    const { kind } = this.lease;
    await this.queue.enqueue({ kind, id });
    await this.queue.enqueue({ kind, id: before }, { first: true });
    return false;
  }
}
