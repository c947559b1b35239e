import type { DeliveryCursor } from '../../platform/database/index.js';
import type { ChunkReader, Step } from './chunk-reader.js';
import type { DeliveryJournal } from './delivery-journal.js';
import type { DeliveryOrder } from './delivery-rows.js';
import type { FinishedStep, PartnerSide } from './partner-side.js';

/** Steps that may be finished and not yet written down. More would be sent again after a crash. */
const MAX_UNSAVED = 64;

/**
 * Least time between two transactions, in milliseconds: one costs as much as sending several batches, so those of
 * a fast partner are written down together, and a slow one's each by itself.
 */
const SAVE_EVERY_MS = 250;

/** How sending ended without a failure. */
export type CourseEnd = 'sent' | 'paused' | 'aborted';

/** A step's outcome, or what it failed with. Never rejects, so that none is left unhandled. */
type Settled = { finished: FinishedStep } | { error: unknown };

/**
 * Sends a delivery's steps, several at once where the output allows it, and writes them down strictly in
 * order. While one transaction runs, the next steps are already on their way; the next transaction then
 * takes all that finished meanwhile.
 */
export class DeliveryCourse {
  readonly #underWay: Promise<Settled>[] = [];
  #unsaved: FinishedStep[] = [];
  #saving: Promise<void> | undefined;
  #saveTimer: NodeJS.Timeout | undefined;
  #nextSaveMs = 0;
  #saveError: { error: unknown } | undefined;
  #position = 1;
  #paused = false;

  constructor(
    private readonly order: DeliveryOrder,
    private readonly parts: { reader: ChunkReader; side: PartnerSide; journal: DeliveryJournal },
    private readonly options: { concurrency: number; probing: boolean },
    /** Aborts: no further step is begun. */
    private readonly signal: AbortSignal,
  ) {
    this.#probing = options.probing;
  }

  #probing: boolean;

  /** True until something got through to a partner whose connection was faulted. */
  get probing(): boolean {
    return this.#probing;
  }

  /** Sends from `cursor` on. Throws what a step failed with, after everything before it is written down. */
  async run(cursor: DeliveryCursor): Promise<CourseEnd> {
    this.#position = await this.parts.journal.nextPosition(this.order.delivery.id);
    let failure: { error: unknown } | undefined;
    try {
      for await (const step of this.parts.reader.steps(cursor)) {
        failure = await this.begin(step);
        if (failure || this.stopped) break;
      }
    } catch (error) {
      failure = { error };
    }
    while (this.#underWay.length > 0) failure = (await this.takeOldest(failure !== undefined)) ?? failure;
    await this.saveNow();
    if (this.#saveError) throw this.#saveError.error;
    if (failure && !this.signal.aborted) throw failure.error;
    if (this.#paused) return 'paused';
    return this.signal.aborted ? 'aborted' : 'sent';
  }

  private get stopped(): boolean {
    return this.#paused || this.signal.aborted || this.#saveError !== undefined;
  }

  /** Starts a step, and waits until there is room for the next one. */
  private async begin(step: Step): Promise<{ error: unknown } | undefined> {
    this.#underWay.push(this.settle(step));
    while (this.#underWay.length >= (this.#probing ? 1 : this.options.concurrency)) {
      const failure = await this.takeOldest(false);
      if (failure) return failure;
    }
    return undefined;
  }

  private async settle(step: Step): Promise<Settled> {
    try {
      return { finished: await this.parts.side.send(step) };
    } catch (error) {
      return { error };
    }
  }

  /** Waits for the oldest step. After a failure (`dropped`) later ones are not written down, but sent again. */
  private async takeOldest(dropped: boolean): Promise<{ error: unknown } | undefined> {
    const settled = await this.#underWay.shift();
    if (!settled || dropped) return undefined;
    if ('error' in settled) return settled;
    this.#unsaved.push(settled.finished);
    // A probe has to be answered for before anything else is sent.
    if (this.#probing || this.#unsaved.length >= MAX_UNSAVED) await this.saveNow();
    else this.saveSoon();
    return undefined;
  }

  private saveSoon(): void {
    if (this.#saving || this.#saveTimer) return;
    const waitMs = this.#nextSaveMs - performance.now();
    if (waitMs <= 0) void this.saveNow();
    else this.#saveTimer = setTimeout(() => void this.saveNow(), waitMs);
  }

  /** Writes down all that is finished, after the transaction that runs. Never rejects: see {@link saveOnce}. */
  private async saveNow(): Promise<void> {
    clearTimeout(this.#saveTimer);
    this.#saveTimer = undefined;
    await this.#saving;
    // After a failure nothing more: a cursor behind steps that were not written down would lose them.
    while (this.#unsaved.length > 0 && !this.#saveError) {
      this.#saving ??= this.saveOnce();
      await this.#saving;
    }
  }

  /** One transaction. Keeps its failure for {@link run}. */
  private async saveOnce(): Promise<void> {
    const steps = this.#unsaved;
    this.#unsaved = [];
    try {
      await this.save(steps);
    } catch (error) {
      this.#saveError = { error };
    } finally {
      this.#saving = undefined;
      this.#nextSaveMs = performance.now() + SAVE_EVERY_MS;
    }
  }

  private async save(steps: FinishedStep[]): Promise<void> {
    const gotThrough = this.#probing && steps.some(({ step: { chunk } }) => chunk.members.length > 0);
    const status = await this.parts.journal.save(this.order, steps, this.#position, gotThrough);
    this.#position += steps.length;
    if (gotThrough) this.#probing = false;
    if (status === 'inactive') this.#paused = true;
  }
}
