import { randomUUID } from 'node:crypto';
import { and, eq, sql } from 'drizzle-orm';
import { elapsedClock } from '../clock/index.js';
import { leases, rowsOf, type Database } from '../database/index.js';
import { Renewal, type Held } from './renewal.js';

/**
 * Named leases in the database: the right to be the only one that does something for a while. Time is the
 * database's, so the clocks of the processes do not matter.
 */
export class Leases {
  /** Identity of this process towards all leases. */
  readonly owner = randomUUID();

  constructor(
    private readonly db: Database,
    readonly leaseMs: number,
    /** By what this process tells how long it has had a lease. */
    readonly nowMs: () => number = elapsedClock(),
  ) {}

  /** Moment at which a lease taken now runs out, as SQL. */
  until() {
    return sql`now() + ${`${this.leaseMs} milliseconds`}::interval`;
  }

  /** Takes the lease, or returns false where somebody else holds it. */
  async acquire(name: string, owner: string): Promise<boolean> {
    const taken = await this.db.execute(sql`
      insert into ${leases} (name, owner, until) values (${name}, ${owner}, ${this.until()})
      on conflict (name) do update set owner = excluded.owner, until = excluded.until
      where leases.owner = excluded.owner or leases.until < now()
      returning name`);
    return rowsOf(taken).length === 1;
  }

  /** Extends a lease that is held; false where it was released or taken over. Never takes one. */
  async renew(name: string, owner: string): Promise<boolean> {
    const kept = await this.db
      .update(leases)
      .set({ until: this.until() })
      .where(and(eq(leases.name, name), eq(leases.owner, owner)))
      .returning({ name: leases.name });
    return kept.length === 1;
  }

  async release(name: string, owner: string): Promise<void> {
    await this.db.delete(leases).where(and(eq(leases.name, name), eq(leases.owner, owner)));
  }

  /** Ends every lease. Only for a process that knows it is the only one: what is held was left by a dead one. */
  async releaseAll(): Promise<void> {
    await this.db.delete(leases);
  }

  /**
   * Runs `work` as the only holder of `name` in all processes; waits for its turn until `signal` aborts.
   * Renewed while it runs; lost (a process that slept past its lease), `work`'s signal aborts, and whoever asks is told.
   */
  async exclusively<T>(name: string, signal: AbortSignal, work: (held: Held) => Promise<T>): Promise<T> {
    const owner = randomUUID();
    let askedAtMs = this.nowMs();
    while (!(await this.acquire(name, owner))) {
      await pause(Math.min(200, this.leaseMs / 4), signal);
      askedAtMs = this.nowMs();
    }
    return this.holding({ name, owner, askedAtMs }, signal, work);
  }

  /** As {@link exclusively}, but where somebody else holds `name`, nothing is done. */
  async unlessHeld(name: string, signal: AbortSignal, work: (held: Held) => Promise<void>): Promise<void> {
    const owner = randomUUID();
    const askedAtMs = this.nowMs();
    if (await this.acquire(name, owner)) await this.holding({ name, owner, askedAtMs }, signal, work);
  }

  private async holding<T>(
    { name, owner, askedAtMs }: { name: string; owner: string; askedAtMs: number },
    signal: AbortSignal,
    work: (held: Held) => Promise<T>,
  ): Promise<T> {
    const renewal = this.keep(() => this.renew(name, owner), askedAtMs);
    try {
      return await work(renewal.held(signal));
    } finally {
      renewal.stop();
      await this.release(name, owner);
    }
  }

  /**
   * Calls `renew` until it is stopped.
   *
   * @param takenAtMs a moment before the lease was taken, by {@link nowMs}: for those who {@link Renewal.confirm}
   */
  keep(renew: () => Promise<boolean>, takenAtMs = this.nowMs()): Renewal {
    const { leaseMs, nowMs } = this;
    return new Renewal({ renew, leaseMs, nowMs }, takenAtMs);
  }
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  await new Promise<void>((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener('abort', done);
  });
  signal.throwIfAborted();
}
