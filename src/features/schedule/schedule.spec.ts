import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { Module, type INestApplicationContext } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { SchedulerRegistry } from '@nestjs/schedule';
import {
  temporaryPglite,
  temporaryPostgres,
  type TemporaryDatabase,
} from '../../../test/support/databases.js';
import { describeWith } from '../../../test/support/services.js';
import { until } from '../../../test/support/until.js';
import { SystemClock } from '../../platform/clock/index.js';
import { readConfig, type Role } from '../../platform/env/index.js';
import { Leases } from '../../platform/lease/index.js';
import { silentLogger } from '../../platform/log/index.js';
import { CLOCK, CONFIG, DATABASE, LOGGER } from '../../platform/nest/index.js';
import { ScheduleModule, ScheduleService } from './index.js';
import { slotAt } from './schedule-slots.js';
import { describeSchedules } from './schedule.suite.js';

describe('schedules on PGlite', () => describeSchedules(() => temporaryPglite()));

await describeWith('PostgreSQL', 'schedules on PostgreSQL', (serverUrl) =>
  describeSchedules(() => temporaryPostgres({ serverUrl })),
);

describe('slotAt', () => {
  it('cuts time into the same slots in every process', () => {
    const tenMinutesMs = 600_000;
    const slotOf = (time: string) =>
      new Date(slotAt('scan', tenMinutesMs, Date.parse(time)).slotMs).toISOString();
    expect(slotOf('2026-03-01T10:00:00.000Z')).toBe('2026-03-01T10:00:00.000Z');
    expect(slotOf('2026-03-01T10:09:59.999Z')).toBe('2026-03-01T10:00:00.000Z');
    expect(slotOf('2026-03-01T10:10:00.000Z')).toBe('2026-03-01T10:10:00.000Z');
  });
});

describe('ScheduleModule', () => {
  let database: TemporaryDatabase;
  const apps: INestApplicationContext[] = [];
  beforeAll(async () => {
    database = await temporaryPglite();
  });
  afterEach(async () => {
    for (const app of apps.splice(0)) await app.close();
  });
  afterAll(() => database.close());

  async function start(...roles: Role[]): Promise<INestApplicationContext> {
    const provided = [
      { provide: DATABASE, useValue: database.db },
      { provide: CLOCK, useValue: new SystemClock() },
      { provide: CONFIG, useValue: { ...readConfig({}), roles: new Set(roles) } },
      { provide: LOGGER, useValue: silentLogger() },
      { provide: Leases, useValue: new Leases(database.db, 60_000) },
    ];
    @Module({})
    class Platform {}
    const platform = { module: Platform, global: true, providers: provided, exports: provided };
    @Module({ imports: [platform, ScheduleModule] })
    class App {}
    const app = await NestFactory.createApplicationContext(App, { logger: false });
    apps.push(app);
    return app;
  }

  it('ticks by itself, runs what is registered after the start at once, and stops with the application', async () => {
    const app = await start('api', 'worker', 'scheduler');
    const job = app.get(SchedulerRegistry, { strict: false }).getCronJob('schedule-tick');
    expect(job.isActive).toBe(true);
    let runs = 0;
    app.get(ScheduleService).register('scan', 3_600_000, async () => void (runs += 1));
    await until('it ran', () => runs === 1);
    await app.close();
    expect(job.isActive).toBe(false);
  });

  it('runs what is registered per process at the start and again and again, but never twice at once', async () => {
    const schedules = (await start('scheduler')).get(ScheduleService);
    let runs = 0;
    let atOnce = 0;
    let mostAtOnce = 0;
    schedules.registerPerProcess('sweep', 5, async () => {
      atOnce += 1;
      mostAtOnce = Math.max(mostAtOnce, atOnce);
      await new Promise((resolve) => setTimeout(resolve, 20));
      atOnce -= 1;
      runs += 1;
      throw new Error('a failure does not end it');
    });
    await until('it ran four times', () => runs >= 4);
    expect(mostAtOnce).toBe(1);
  });

  it('leaves a process without the role of a scheduler alone', async () => {
    const app = await start('api', 'worker');
    app.get(ScheduleService).registerPerProcess('sweep', 5, () => Promise.reject(new Error('ran')));
    const timers = app.get(SchedulerRegistry, { strict: false });
    expect(timers.getIntervals()).toEqual([]);
  });

  it('refuses a name that is taken and a span that is none', async () => {
    const schedules = (await start('api')).get(ScheduleService);
    const nothing = () => Promise.resolve();
    schedules.register('scan', 1000, nothing);
    expect(() => schedules.register('scan', 1000, nothing)).toThrow("a schedule 'scan' already");
    expect(() => schedules.registerPerProcess('scan', 1000, nothing)).toThrow("a schedule 'scan' already");
    expect(() => schedules.register('other', 0, nothing)).toThrow('expected a whole number above 0');
    expect(() => schedules.registerPerProcess('other', 1.5, nothing)).toThrow('whole number above 0');
  });
});
