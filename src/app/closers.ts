/** The parts that are open, so that they can be closed in the opposite order. */
export class Closers {
  readonly #open: { name: string; close: () => Promise<void> | void }[] = [];

  add(name: string, close: () => Promise<void> | void): void {
    this.#open.push({ name, close });
  }

  /** Closes everything, the last opened first; `failed` hears of parts that did not close. */
  async closeAll(failed: (name: string, error: unknown) => void): Promise<void> {
    for (let part = this.#open.pop(); part; part = this.#open.pop()) {
      try {
        await part.close();
      } catch (error) {
        failed(part.name, error);
      }
    }
  }
}
