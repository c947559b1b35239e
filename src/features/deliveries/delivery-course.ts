import { NotItsTurnError, StillWaiting, Turn } from '../../host/outputs/index.js';
import type { Step } from './chunk-reader.js';
import type { CourseEnd, CourseOptions } from './course-options.js';
import type { DeliveryJournal } from './delivery-journal.js';
import type { DeliveryOrder } from './delivery-rows.js';
import { freeBuffer } from './free-buffer.js';
import type { FinishedStep, PartnerSide } from './partner-side.js';
import { StepSaves } from './step-saves.js';

/** A step's outcome, what it failed with, or that it was not sent. Never rejects, so that none is left unhandled. */
type Settled =
  { finished: FinishedStep | StillWaiting; spent: Step['spent'] } | { error: unknown } | 'not sent';

/**
 * Sends a delivery's steps, several at once where the output allows it, and writes them down strictly in
 * order. While one transaction runs, the next steps are already on their way; the next transaction then
 * takes all that finished meanwhile.
 *
 * A step may wait for a job of the partner. Those behind it are then handed over as well, as far as the output allows,
 * and nothing of them is written down: whoever comes back finds each by its job.
 */
export class DeliveryCourse {
  readonly #underWay: Promise<Settled>[] = [];
  readonly #saves: StepSaves;
  /** Steps that wait for jobs, and those behind the first of them. */
  #waiting = 0;
  #waitMs = Number.POSITIVE_INFINITY;

  constructor(
    order: DeliveryOrder,
    private readonly parts: {
      steps: AsyncGenerator<Step>;
      side: PartnerSide;
      journal: DeliveryJournal;
      /** Resolves when the journal says what will be sent: nothing is written down before. */
      planned: Promise<void>;
      /** Resolves once what a step began to send has gone out. */
      written: () => Promise<void>;
      /** Default: that of {@link StepSaves}. */
      saveEveryMs?: number | undefined;
    },
    private readonly options: CourseOptions,
    /** Aborts: no further step is begun. */
    private readonly signal: AbortSignal,
  ) {
    const { journal, planned, saveEveryMs } = parts;
    this.#saves = new StepSaves(order, journal, options.attempt, planned, saveEveryMs);
  }

  /** Sends all steps. Throws what one failed with, after everything before it is written down. */
  async run(): Promise<CourseEnd> {
    await this.#saves.begin();
    let failure: { error: unknown } | undefined;
    try {
      for await (const step of this.parts.steps) {
        failure = await this.begin(step);
        if (failure || this.stopped) break;
      }
    } catch (error) {
      failure = { error };
    }
    while (this.#underWay.length > 0) failure = (await this.takeOldest(failure !== undefined)) ?? failure;
    await this.#saves.all();
    if (this.#saves.failure) throw this.#saves.failure.error;
    if (failure && !this.signal.aborted) throw failure.error;
    if (this.#saves.isPaused) return 'paused';
    if (this.signal.aborted) return 'aborted';
    return this.#waiting > 0 ? { waitMs: this.#waitMs } : 'sent';
  }

  private get stopped(): boolean {
    const { jobs, attempt } = this.options;
    const full = this.#waiting >= (attempt.probing ? 1 : jobs);
    return full || this.#saves.isPaused || this.signal.aborted || this.#saves.failure !== undefined;
  }

  /** Starts a step, and waits until there is room for the next one. */
  private begin(step: Step): Promise<{ error: unknown } | undefined> {
    return this.options.ahead && !this.options.attempt.probing ? this.makeReady(step) : this.send(step);
  }

  private async send(step: Step): Promise<{ error: unknown } | undefined> {
    this.#underWay.push(this.settle(step));
    this.saveBehind();
    return this.takeDownTo((this.options.attempt.probing ? 1 : this.options.concurrency) - 1);
  }

  /** The step is made ready while others are with the partner, and sent once there is room for it. */
  private async makeReady(step: Step): Promise<{ error: unknown } | undefined> {
    const turn = new Turn();
    this.#underWay.push(this.settle(step, turn));
    const failure = await this.takeDownTo(this.options.concurrency);
    if (failure || this.stopped) {
      turn.neverComes();
      return failure;
    }
    turn.comes();
    this.saveBehind();
    // Making the next one ready would hold this one up.
    await this.parts.written();
    return undefined;
  }

  /** A transaction keeps this thread busy: the partner is to have its next batch before. */
  private saveBehind(): void {
    if (!this.#saves.isEmpty) void this.parts.written().then(() => this.#saves.soon());
  }

  /** Waits for the oldest steps, until no more than `most` are under way or one of them has failed. */
  private async takeDownTo(most: number): Promise<{ error: unknown } | undefined> {
    while (this.#underWay.length > most) {
      const failure = await this.takeOldest(false);
      if (failure) return failure;
    }
    return undefined;
  }

  private async settle(step: Step, turn?: Turn): Promise<Settled> {
    const { spent } = step;
    try {
      return { finished: await this.parts.side.send(step, turn), spent };
    } catch (error) {
      if (error instanceof NotItsTurnError) return 'not sent';
      return error instanceof StillWaiting ? { finished: error, spent } : { error };
    }
  }

  /** Waits for the oldest step. After a failure (`dropped`) later ones are not written down, but sent again. */
  private async takeOldest(dropped: boolean): Promise<{ error: unknown } | undefined> {
    const settled = await this.#underWay.shift();
    if (!settled || settled === 'not sent' || dropped) return undefined;
    if ('error' in settled) return settled;
    for (const rows of settled.spent) freeBuffer(rows);
    if (settled.finished instanceof StillWaiting || this.#waiting > 0) {
      this.#waiting += 1;
      if (settled.finished instanceof StillWaiting) {
        this.#waitMs = Math.min(this.#waitMs, settled.finished.waitMs);
      }
      return undefined;
    }
    await this.#saves.add(settled.finished);
    return undefined;
  }
}
