import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from '@jest/globals';
import { SchedulerRegistry } from '@nestjs/schedule';
import { eq } from 'drizzle-orm';
import * as fc from 'fast-check';
import type { TemporaryDatabase } from '../../../test/support/databases.js';
import { until } from '../../../test/support/until.js';
import { TestClock } from '../../platform/clock/testing/test-clock.js';
import { leases, scheduleSlots, type Database } from '../../platform/database/index.js';
import { readConfig, type Role } from '../../platform/env/index.js';
import { Leases } from '../../platform/lease/index.js';
import { silentLogger } from '../../platform/log/index.js';
import { ScheduleSlots, slotAt } from './schedule-slots.js';
import { ScheduleService, type ScheduledWork } from './schedule.service.js';

const TEN_MINUTES_MS = 600_000;
const START = '2026-03-01T10:00:00Z';

/** What holds of schedules on either database. */
export function describeSchedules(open: () => Promise<TemporaryDatabase>): void {
  let database: TemporaryDatabase;
  let clock: TestClock;
  const services: ScheduleService[] = [];

  beforeAll(async () => {
    database = await open();
  });
  beforeEach(() => {
    clock = new TestClock(START);
  });
  afterEach(async () => {
    await Promise.all(services.splice(0).map((service) => service.beforeApplicationShutdown()));
    await database.db.delete(scheduleSlots);
    await database.db.delete(leases);
  });
  afterAll(() => database.close());

  /** A scheduler as a process of its own would have it; `tick` is called by the tests alone. */
  function scheduler(
    run: ScheduledWork,
    options: { db?: Database; clock?: TestClock; leaseMs?: number; roles?: Role[] } = {},
  ): ScheduleService {
    const config = { ...readConfig({}), roles: new Set<Role>(options.roles ?? ['scheduler']) };
    const db = options.db ?? database.db;
    const service = new ScheduleService(
      db,
      new Leases(db, options.leaseMs ?? 60_000),
      options.clock ?? clock,
      config,
      silentLogger(),
      new SchedulerRegistry(),
    );
    service.onApplicationBootstrap();
    service.register('scan', TEN_MINUTES_MS, run);
    services.push(service);
    return service;
  }

  const startOfSlot = () => slotAt('scan', TEN_MINUTES_MS, clock.now().getTime()).slotMs;
  const rows = () => database.db.select().from(scheduleSlots).orderBy(scheduleSlots.slotMs);

  it('runs each of 50 slots once, whoever of two schedulers comes first, and makes up one for all missed', async () => {
    const fired: number[] = [];
    const run = async () => void fired.push(startOfSlot());
    const pair = [
      scheduler(run, { db: database.another().db }),
      scheduler(run, { db: database.another().db }),
    ];
    const expected: number[] = [];
    for (let slot = 0; slot < 50; slot += 1) {
      expected.push(startOfSlot());
      for (let tick = 0; tick < 2; tick += 1) {
        await Promise.all(pair.map((service) => service.tick()));
        clock.advance(TEN_MINUTES_MS / 2);
      }
    }
    expect(fired).toEqual(expected);

    await Promise.all(pair.map((service) => service.beforeApplicationShutdown()));
    clock.advance(17 * TEN_MINUTES_MS + 1234);
    const third = scheduler(run);
    await third.tick();
    await third.tick();
    expect(fired.slice(50)).toEqual([startOfSlot()]);
    expect((await rows()).every((row) => row.doneAt !== null)).toBe(true);
  });

  it('never runs a slot twice or out of order, whatever the clocks of three schedulers say', async () => {
    const step = fc.record({
      who: fc.nat({ max: 2 }),
      advanceMs: fc.nat({ max: 2 * TEN_MINUTES_MS }),
      again: fc.boolean(),
    });
    const skews = fc.tuple(fc.nat(TEN_MINUTES_MS), fc.nat(TEN_MINUTES_MS), fc.nat(TEN_MINUTES_MS));
    await fc.assert(
      fc.asyncProperty(skews, fc.array(step, { maxLength: 12 }), async (offsetsMs, steps) => {
        await database.db.delete(scheduleSlots);
        const fired: number[] = [];
        const trio = offsetsMs.map((offsetMs) => {
          const own = new TestClock(new Date(Date.parse(START) + offsetMs));
          const run = async () => void fired.push(slotAt('scan', TEN_MINUTES_MS, own.now().getTime()).slotMs);
          return { own, service: scheduler(run, { clock: own }) };
        });
        for (const { service } of trio) await service.tick();
        for (const { who, advanceMs, again } of steps) {
          for (const { own } of trio) own.advance(advanceMs);
          await trio[who]?.service.tick();
          if (again) await Promise.all(trio.map(({ service }) => service.tick()));
        }
        expect(fired).toEqual([...new Set(fired)].sort((a, b) => a - b));
        await Promise.all(services.splice(0).map((service) => service.beforeApplicationShutdown()));
      }),
      { numRuns: 12 },
    );
  });

  it('makes up a slot whose process died, once its lease has run out, and not before', async () => {
    const dead = new Leases(database.db, 60_000);
    const slot = slotAt('scan', TEN_MINUTES_MS, clock.now().getTime());
    expect(await new ScheduleSlots(database.db, dead).take(slot, dead.owner)).toBe('taken');
    let runs = 0;
    const service = scheduler(async () => void (runs += 1));
    await service.tick();
    expect(runs).toBe(0);
    await database.db.update(leases).set({ until: new Date(0) });
    await service.tick();
    expect(runs).toBe(1);
    expect((await rows()).map((row) => row.doneAt instanceof Date)).toEqual([true]);
  });

  it('hands a slot to the next process where it was cut short by a shutdown', async () => {
    let begun = false;
    const leaving = scheduler(async (signal) => {
      begun = true;
      await new Promise((_resolve, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason as Error));
      });
    });
    await until('it runs', () => begun);
    await leaving.beforeApplicationShutdown();
    let runs = 0;
    await scheduler(async () => void (runs += 1)).tick();
    expect(runs).toBe(1);
  });

  it('aborts the work and leaves the slot open where the lease was taken over', async () => {
    let reason: unknown;
    const service = scheduler(
      async (signal) => {
        await database.db
          .update(leases)
          .set({ owner: '00000000-0000-4000-8000-000000000000' })
          .where(eq(leases.name, 'schedule:scan'));
        await until('it is aborted', () => signal.aborted);
        reason = signal.reason;
      },
      { leaseMs: 1500 },
    );
    await service.tick();
    await service.beforeApplicationShutdown();
    expect(reason).toMatchObject({ name: 'LeaseLostError' });
    expect((await rows()).map((row) => row.doneAt)).toEqual([null]);
    expect(await database.db.$count(leases)).toBe(1);
  });

  it('does not repeat a run that failed before its next slot', async () => {
    let runs = 0;
    const service = scheduler(async () => {
      runs += 1;
      throw new Error('the bucket is gone');
    });
    await service.tick();
    await service.tick();
    expect(runs).toBe(1);
    clock.advance(TEN_MINUTES_MS);
    await service.tick();
    expect(runs).toBe(2);
  });

  it('goes on where a clock that was wrong left a slot of the far future', async () => {
    let runs = 0;
    const farMs = startOfSlot() + 1000 * TEN_MINUTES_MS;
    await database.db.insert(scheduleSlots).values({ schedule: 'scan', slotMs: farMs, doneAt: new Date() });
    await scheduler(async () => void (runs += 1)).tick();
    expect(runs).toBe(1);
  });

  it('forgets slots of long ago, and only its own', async () => {
    const longAgo = { slotMs: startOfSlot() - 145 * TEN_MINUTES_MS, doneAt: new Date() };
    await database.db.insert(scheduleSlots).values([
      { schedule: 'scan', ...longAgo },
      { schedule: 'other', ...longAgo },
    ]);
    await scheduler(() => Promise.resolve()).tick();
    expect((await rows()).map((row) => row.schedule)).toEqual(['other', 'scan']);
  });

  it('runs nothing without the role of a scheduler', async () => {
    let runs = 0;
    const service = scheduler(async () => void (runs += 1), { roles: ['api', 'worker'] });
    await service.tick();
    expect(runs).toBe(0);
    expect(await rows()).toEqual([]);
  });
}
