/** How long an answer counts before the part is asked again. */
const FRESH_MS = 1000;
/** How long a caller waits for an answer that is under way, where an older one is at hand. */
const PATIENCE_MS = 40;
/** A part that takes longer to answer is failing. Long, because a bulk query may keep an engine busy. */
const GIVE_UP_MS = 15_000;

/**
 * Knows how a part of the hub does, without making callers wait: one question at a time, however many
 * ask, and the last answer while a busy part takes its time.
 */
export class PartWatch {
  #last: { ok: boolean; at: number } | undefined;
  #asking: { since: number; done: Promise<void> } | undefined;

  constructor(
    private readonly ask: () => Promise<unknown>,
    /** Milliseconds of a clock that never goes back. */
    private readonly nowMs: () => number = () => performance.now(),
  ) {}

  /** True where the part answered, and not too long ago. */
  async isWell(): Promise<boolean> {
    if (this.#last && this.nowMs() - this.#last.at < FRESH_MS) return this.#last.ok;
    this.#asking ??= { since: this.nowMs(), done: this.#question() };
    const { since, done } = this.#asking;
    const waited = this.nowMs() - since;
    await within(done, this.#last ? PATIENCE_MS : GIVE_UP_MS - waited);
    if (this.#asking && this.nowMs() - this.#asking.since >= GIVE_UP_MS) return false;
    return this.#last?.ok ?? false;
  }

  async #question(): Promise<void> {
    const ok = await this.ask().then(
      () => true,
      () => false,
    );
    this.#last = { ok, at: this.nowMs() };
    this.#asking = undefined;
  }
}

async function within(done: Promise<void>, timeoutMs: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, Math.max(0, timeoutMs));
  });
  await Promise.race([done, timeout]);
  clearTimeout(timer);
}
