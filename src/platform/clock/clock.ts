/** The hub's time. Everything that decides by time asks it, so that tests can set it. */
export interface Clock {
  now(): Date;
}

/** The machine's time. */
export class SystemClock implements Clock {
  now(): Date {
    return new Date();
  }
}
