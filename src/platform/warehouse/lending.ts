/** Lends each of its items to one piece of work at a time, in the order the work came. */
export class Lending<T> {
  private readonly free: T[];
  private readonly size: number;
  private readonly waiting: ((item: T) => void)[] = [];

  constructor(items: readonly T[]) {
    this.free = [...items];
    this.size = items.length;
  }

  async lend<R>(work: (item: T) => Promise<R>): Promise<R> {
    const item = await this.take();
    try {
      return await work(item);
    } finally {
      this.giveBack(item);
    }
  }

  /** Takes every item, and so waits for all work that came before. Nothing is lent afterwards. */
  async takeAll(): Promise<T[]> {
    return Promise.all(Array.from({ length: this.size }, () => this.take()));
  }

  private take(): Promise<T> {
    const item = this.free.shift();
    if (item !== undefined) return Promise.resolve(item);
    return new Promise((resolve) => this.waiting.push(resolve));
  }

  private giveBack(item: T): void {
    const next = this.waiting.shift();
    if (next) next(item);
    else this.free.push(item);
  }
}
