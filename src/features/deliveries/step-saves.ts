import type { Attempt } from './course-options.js';
import type { DeliveryJournal } from './delivery-journal.js';
import type { DeliveryOrder } from './delivery-rows.js';
import type { FinishedStep } from './partner-side.js';

/** Steps that may be finished and not yet written down: beyond, sending waits. More would be sent again after a crash. */
const MAX_UNSAVED = 256;

/** So many are written down at once, whatever the time. */
const SAVE_AT = 224;

/**
 * Least time between two transactions, in milliseconds: one costs as much as sending several batches, so those of
 * a fast partner are written down together, and a slow one's each by itself.
 */
const SAVE_EVERY_MS = 250;

/**
 * Writes finished steps down, strictly in the order in which they are added. While one transaction runs, further steps may
 * finish; the next transaction then takes all of them.
 */
export class StepSaves {
  #unsaved: FinishedStep[] = [];
  #saving: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #nextMs = 0;
  #failure: { error: unknown } | undefined;
  #position = 1;
  #isPaused = false;

  constructor(
    private readonly order: DeliveryOrder,
    private readonly journal: DeliveryJournal,
    private readonly attempt: Attempt,
    /** Resolves when the journal says what will be sent: nothing is written down before. */
    private readonly planned: Promise<void>,
    /** See {@link SAVE_EVERY_MS}. 0: each step by itself, before the next one is taken. */
    private readonly everyMs = SAVE_EVERY_MS,
  ) {}

  /** Finds the place of the first step that will be added. Before it is planned, nothing is written down of a delivery. */
  async begin(): Promise<void> {
    if (this.order.delivery.planned === null) return;
    this.#position = await this.journal.nextPosition(this.order.delivery.id);
  }

  /** What a transaction failed with. */
  get failure(): { error: unknown } | undefined {
    return this.#failure;
  }

  /** Whether the connection was paused, or is being deleted, when something was last written down. */
  get isPaused(): boolean {
    return this.#isPaused;
  }

  get isEmpty(): boolean {
    return this.#unsaved.length === 0;
  }

  /** Takes a step, and waits where too many are not written down yet. */
  async add(step: FinishedStep): Promise<void> {
    this.#unsaved.push(step);
    // A probe has to be answered for before anything else is sent.
    if (this.attempt.probing || this.everyMs === 0) await this.all();
    else if (this.#unsaved.length >= MAX_UNSAVED) {
      this.soon();
      await this.#saving;
    } else this.#timer ??= setTimeout(() => this.timeIsUp(), this.everyMs);
  }

  /** Begins a transaction if one is due, else waits until it is. What runs already calls this when it ends. */
  soon(): void {
    if (this.#saving || this.#unsaved.length === 0 || this.#failure) return;
    const waitMs = this.#unsaved.length >= SAVE_AT ? 0 : this.#nextMs - performance.now();
    if (waitMs <= 0) this.#saving = this.once();
    else this.#timer ??= setTimeout(() => this.timeIsUp(), waitMs);
  }

  /** Writes down all that is finished. Never rejects: see {@link failure}. */
  async all(): Promise<void> {
    while (this.#saving) await this.#saving;
    // After a failure nothing more: a cursor behind steps that were not written down would lose them.
    while (this.#unsaved.length > 0 && !this.#failure) await (this.#saving ??= this.once());
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  private timeIsUp(): void {
    this.#timer = undefined;
    this.soon();
  }

  /** One transaction. */
  private async once(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const steps = this.#unsaved;
    this.#unsaved = [];
    try {
      await this.planned;
      await this.save(steps);
    } catch (error) {
      this.#failure = { error };
    }
    this.#saving = undefined;
    this.#nextMs = performance.now() + this.everyMs;
    this.soon();
  }

  private async save(steps: FinishedStep[]): Promise<void> {
    const gotThrough = this.attempt.probing && steps.some(({ sent }) => sent > 0);
    const status = await this.journal.save(this.order, steps, this.#position, gotThrough);
    this.#position += steps.length;
    if (gotThrough) this.attempt.probing = false;
    // A connection that is deleted meanwhile sends nothing more; its removal goes on.
    const removing = status === 'removing' && this.order.delivery.kind === 'changes';
    if (status === 'inactive' || removing) this.#isPaused = true;
  }
}
