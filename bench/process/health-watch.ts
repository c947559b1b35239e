import { request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

const EVERY_MS = 20;

/** Asks GET /health every 20 ms, each in its turn, until it is told to stop. */
export class HealthWatch {
  private readonly answersMs: number[] = [];
  private stopped = false;
  private readonly done: Promise<void>;

  constructor(private readonly url: string) {
    this.done = this.watch();
  }

  /** Stops, and gives the 99th percentile of all answers in milliseconds. */
  async stop(): Promise<number> {
    this.stopped = true;
    await this.done;
    const sorted = this.answersMs.sort((a, b) => a - b);
    return sorted[Math.ceil(sorted.length * 0.99) - 1] ?? 0;
  }

  private async watch(): Promise<void> {
    const underWay = new Set<Promise<void>>();
    while (!this.stopped) {
      // A slow answer must not keep the next question back, or slowness would hide itself.
      const one: Promise<void> = this.ask().finally(() => underWay.delete(one));
      underWay.add(one);
      await sleep(EVERY_MS);
    }
    await Promise.all(underWay);
  }

  private ask(): Promise<void> {
    const beganMs = performance.now();
    return new Promise((resolve, reject) => {
      const call = request(`${this.url}/health`, (response) => {
        response.resume().on('end', () => {
          this.answersMs.push(performance.now() - beganMs);
          resolve();
        });
      });
      call.on('error', reject).end();
    });
  }
}
