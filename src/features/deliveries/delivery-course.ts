import { StillWaiting, Turn } from '../../host/outputs/index.js';
import type { OutputLimits } from '../../kit/index.js';
import type { Step } from './chunk-reader.js';
import type { DeliveryJournal } from './delivery-journal.js';
import type { DeliveryOrder } from './delivery-rows.js';
import { freeBuffer } from './free-buffer.js';
import type { FinishedStep, PartnerSide } from './partner-side.js';

/** Steps that may be finished and not yet written down: beyond, sending waits. More would be sent again after a crash. */
const MAX_UNSAVED = 128;

/** So many are written down at once, whatever the time. */
const SAVE_AT = 64;

/**
 * Least time between two transactions, in milliseconds: one costs as much as sending several batches, so those of
 * a fast partner are written down together, and a slow one's each by itself.
 */
const SAVE_EVERY_MS = 250;

/** How sending ended without a failure. `waitMs`: until the partner is to be asked for its jobs. */
export type CourseEnd = 'sent' | 'paused' | 'aborted' | { waitMs: number };

/** One try of a delivery. */
export interface Attempt {
  /** True until something got through to a partner whose connection is faulted. */
  probing: boolean;
  /** Whether anything of it may have reached the partner. */
  reached: boolean;
}

/** How much of a delivery may be under way. */
export interface CourseOptions {
  /** Steps that may be with the partner at once. */
  concurrency: number;
  /** Steps that may wait for jobs of the partner. */
  jobs: number;
  /** Whether the step after them is begun as well, and waits for its turn. */
  ahead: boolean;
  attempt: Attempt;
}

/** The options of a connection with these limits. */
export function courseOptions(limits: OutputLimits, attempt: Attempt): CourseOptions {
  const { concurrency = 1, jobs = 1, ahead = false, rateLimit } = limits;
  // What is granted by the budget is to be sent at once.
  return { concurrency, jobs: Math.max(jobs, concurrency), ahead: ahead && !rateLimit, attempt };
}

/** A step's outcome, or what it failed with. Never rejects, so that none is left unhandled. */
type Settled = { finished: FinishedStep | StillWaiting; spent: Step['spent'] } | { error: unknown };

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
  #unsaved: FinishedStep[] = [];
  #saving: Promise<void> | undefined;
  #saveTimer: NodeJS.Timeout | undefined;
  #nextSaveMs = 0;
  #saveError: { error: unknown } | undefined;
  #position = 1;
  #paused = false;
  /** Steps that wait, and those behind the first of them. */
  #ahead = 0;
  #waitMs = Number.POSITIVE_INFINITY;

  constructor(
    private readonly order: DeliveryOrder,
    private readonly parts: {
      steps: AsyncGenerator<Step>;
      side: PartnerSide;
      journal: DeliveryJournal;
      /** Resolves when the journal says what will be sent: nothing is written down before. */
      planned: Promise<void>;
      /** Resolves once what a step began to send has gone out. */
      written: () => Promise<void>;
    },
    private readonly options: CourseOptions,
    /** Aborts: no further step is begun. */
    private readonly signal: AbortSignal,
  ) {}

  /** Sends all steps. Throws what one failed with, after everything before it is written down. */
  async run(): Promise<CourseEnd> {
    this.#position = await this.parts.journal.nextPosition(this.order.delivery.id);
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
    await this.saveAll();
    if (this.#saveError) throw this.#saveError.error;
    if (failure && !this.signal.aborted) throw failure.error;
    if (this.#paused) return 'paused';
    if (this.signal.aborted) return 'aborted';
    return this.#ahead > 0 ? { waitMs: this.#waitMs } : 'sent';
  }

  private get stopped(): boolean {
    const { jobs, attempt } = this.options;
    const full = this.#ahead >= (attempt.probing ? 1 : jobs);
    return full || this.#paused || this.signal.aborted || this.#saveError !== undefined;
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
    if (this.#unsaved.length > 0) void this.parts.written().then(() => this.saveSoon());
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
      return error instanceof StillWaiting ? { finished: error, spent } : { error };
    }
  }

  /** Waits for the oldest step. After a failure (`dropped`) later ones are not written down, but sent again. */
  private async takeOldest(dropped: boolean): Promise<{ error: unknown } | undefined> {
    const settled = await this.#underWay.shift();
    if (!settled || dropped) return undefined;
    if ('error' in settled) return settled;
    for (const rows of settled.spent) freeBuffer(rows);
    if (settled.finished instanceof StillWaiting || this.#ahead > 0) {
      this.#ahead += 1;
      if (settled.finished instanceof StillWaiting) {
        this.#waitMs = Math.min(this.#waitMs, settled.finished.waitMs);
      }
      return undefined;
    }
    this.#unsaved.push(settled.finished);
    // A probe has to be answered for before anything else is sent.
    if (this.options.attempt.probing) await this.saveAll();
    else if (this.#unsaved.length >= MAX_UNSAVED) {
      this.saveSoon();
      await this.#saving;
    } else this.#saveTimer ??= setTimeout(() => this.timeIsUp(), SAVE_EVERY_MS);
    return undefined;
  }

  /** Begins a transaction if one is due, else waits until it is. What runs already calls this when it ends. */
  private saveSoon(): void {
    if (this.#saving || this.#unsaved.length === 0 || this.#saveError) return;
    const waitMs = this.#unsaved.length >= SAVE_AT ? 0 : this.#nextSaveMs - performance.now();
    if (waitMs <= 0) this.#saving = this.saveOnce();
    else this.#saveTimer ??= setTimeout(() => this.timeIsUp(), waitMs);
  }

  private timeIsUp(): void {
    this.#saveTimer = undefined;
    this.saveSoon();
  }

  /** Writes down all that is finished. Never rejects: see {@link saveOnce}. */
  private async saveAll(): Promise<void> {
    while (this.#saving) await this.#saving;
    // After a failure nothing more: a cursor behind steps that were not written down would lose them.
    while (this.#unsaved.length > 0 && !this.#saveError) await (this.#saving ??= this.saveOnce());
    clearTimeout(this.#saveTimer);
    this.#saveTimer = undefined;
  }

  /** One transaction. Keeps its failure for {@link run}. */
  private async saveOnce(): Promise<void> {
    clearTimeout(this.#saveTimer);
    this.#saveTimer = undefined;
    const steps = this.#unsaved;
    this.#unsaved = [];
    try {
      await this.parts.planned;
      await this.save(steps);
    } catch (error) {
      this.#saveError = { error };
    }
    this.#saving = undefined;
    this.#nextSaveMs = performance.now() + SAVE_EVERY_MS;
    this.saveSoon();
  }

  private async save(steps: FinishedStep[]): Promise<void> {
    const gotThrough = this.options.attempt.probing && steps.some(({ sent }) => sent > 0);
    const status = await this.parts.journal.save(this.order, steps, this.#position, gotThrough);
    this.#position += steps.length;
    if (gotThrough) this.options.attempt.probing = false;
    // A connection that is deleted meanwhile sends nothing more; its removal goes on.
    const removing = status === 'removing' && this.order.delivery.kind === 'changes';
    if (status === 'inactive' || removing) this.#paused = true;
  }
}
