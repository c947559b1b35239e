import { getEventListeners } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { CallEnds } from './call-ends.js';
import { CallTime } from './call-time.js';

const never = new Promise<never>(() => undefined);

/** Resolves when the time is over: true, unless `ms` pass before. */
const isOverWithin = (time: CallTime, ms: number) =>
  Promise.race([time.limit(never).catch(() => true), sleep(ms, false)]);

describe('the time of a call', () => {
  it('goes on after a wait with what was left before it', async () => {
    const time = new CallTime(200, new CallEnds(new AbortController().signal));
    await time.standsStill(() => sleep(5));
    expect(await isOverWithin(time, 50)).toBe(false);
    time.end();
  });

  it('is over once what it had is used up before a wait and after it', async () => {
    const time = new CallTime(60, new CallEnds(new AbortController().signal));
    await sleep(50);
    await time.standsStill(() => sleep(5));
    expect(await isOverWithin(time, 55)).toBe(true);
    expect([time.isOver, time.signal.aborted]).toEqual([true, true]);
    time.end();
  });

  it('stands still while one of several waits lasts, and counts none of them', async () => {
    const time = new CallTime(100, new CallEnds(new AbortController().signal));
    const first = time.standsStill(() => sleep(160));
    await sleep(80);
    const second = time.standsStill(() => Promise.resolve());
    await Promise.all([first, second]);
    expect(time.isOver).toBe(false);
    expect(await isOverWithin(time, 50)).toBe(false);
    time.end();
  });

  it('does not go on after a wait during which the parent aborted', async () => {
    const parent = new AbortController();
    const time = new CallTime(5, new CallEnds(parent.signal));
    await time.standsStill(async () => parent.abort(new Error('enough')));
    await sleep(20);
    expect(time.isOver).toBe(false);
    expect(time.signal.reason).toMatchObject({ message: 'enough' });
    time.end();
  });

  it('ends with its parent as others do, all by one listener', () => {
    const parent = new AbortController();
    const ends = new CallEnds(parent.signal);
    const times = [1000, 1000, 1000].map((ms) => new CallTime(ms, ends));
    expect(getEventListeners(parent.signal, 'abort')).toHaveLength(1);
    parent.abort(new Error('enough'));
    expect(times.map(({ signal }) => (signal.reason as Error).message)).toEqual([
      'enough',
      'enough',
      'enough',
    ]);
    for (const time of times) time.end();
  });

  it('hears no more of its parent nor of the clock once the call has ended', async () => {
    const parent = new AbortController();
    const time = new CallTime(5, new CallEnds(parent.signal));
    time.end();
    parent.abort();
    await sleep(20);
    expect([time.isOver, time.signal.aborted]).toEqual([false, false]);
  });

  it('does not run on where a wait outlasts the call', async () => {
    const time = new CallTime(5, new CallEnds(new AbortController().signal));
    let stop = (): void => undefined;
    const waiting = time.standsStill(() => new Promise((resolve) => (stop = resolve)));
    time.end();
    stop();
    await waiting;
    await sleep(20);
    expect([time.isOver, time.signal.aborted]).toEqual([false, false]);
  });
});
