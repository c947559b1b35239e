import type { Clock } from '../clock.js';

/** A clock that stands still until it is told otherwise. */
export class TestClock implements Clock {
  #nowMs: number;

  constructor(start: Date | string = '2026-01-01T00:00:00.000Z') {
    this.#nowMs = timeOf(start);
  }

  now(): Date {
    return new Date(this.#nowMs);
  }

  set(now: Date | string): void {
    this.#nowMs = timeOf(now);
  }

  advance(byMs: number): void {
    this.#nowMs += byMs;
  }
}

function timeOf(date: Date | string): number {
  const timeMs = new Date(date).getTime();
  if (Number.isNaN(timeMs)) throw new TypeError(`TestClock: ${String(date)} is no date.`);
  return timeMs;
}
