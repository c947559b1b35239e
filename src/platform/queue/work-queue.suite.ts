import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { until } from '../../../test/support/until.js';
import type { WorkQueue } from './work-queue.js';

/** A handler that notes what it gets and returns when the test lets it. */
class Gate {
  readonly started: string[] = [];
  readonly signals: AbortSignal[] = [];
  running = 0;
  mostAtOnce = 0;
  #open: (() => void)[] = [];
  #held = true;

  handler = async (id: string, signal: AbortSignal): Promise<void> => {
    this.started.push(id);
    this.signals.push(signal);
    this.running += 1;
    this.mostAtOnce = Math.max(this.mostAtOnce, this.running);
    if (this.#held) await new Promise<void>((resolve) => this.#open.push(resolve));
    this.running -= 1;
  };

  releaseOne(): void {
    this.#open.shift()?.();
  }

  releaseAll(): void {
    this.#held = false;
    for (const open of this.#open.splice(0)) open();
  }
}

/** The promises of {@link WorkQueue}, against the queue that `make` opens (with kinds `import`, `delivery`). */
export function describeWorkQueue(make: () => Promise<WorkQueue>): void {
  let queue: WorkQueue;
  let gate: Gate;
  beforeEach(async () => {
    queue = await make();
    gate = new Gate();
  });
  afterEach(async () => {
    gate.releaseAll();
    await queue.close({ graceMs: 2000 });
  });

  const idle = async (kind: string) => {
    const { waiting = 0, delayed = 0, active = 0 } = (await queue.counts())[kind] ?? {};
    return waiting + delayed + active === 0;
  };

  it('hands every id to the handler of its kind', async () => {
    const deliveries = new Gate();
    gate.releaseAll();
    deliveries.releaseAll();
    queue.process('import', 2, gate.handler);
    queue.process('delivery', 2, deliveries.handler);
    await Promise.all(['a', 'b', 'c'].map((id) => queue.enqueue({ kind: 'import', id })));
    await queue.enqueue({ kind: 'delivery', id: 'd' });
    await until('all ran', () => gate.started.length === 3 && deliveries.started.length === 1);
    expect(gate.started.toSorted()).toEqual(['a', 'b', 'c']);
  });

  it('keeps what was enqueued before its handler came, as one hint per id', async () => {
    for (const id of ['a', 'a', 'b', 'a']) await queue.enqueue({ kind: 'import', id });
    expect((await queue.counts()).import).toEqual({ waiting: 2, delayed: 0, active: 0 });
    gate.releaseAll();
    queue.process('import', 1, gate.handler);
    await until('both ran', async () => gate.started.length === 2 && (await idle('import')));
    expect(gate.started.toSorted()).toEqual(['a', 'b']);
  });

  it('runs an id once more, and not beside itself, that is enqueued while it is worked on', async () => {
    queue.process('import', 3, gate.handler);
    await queue.enqueue({ kind: 'import', id: 'a' });
    await until('it runs', () => gate.running === 1);
    await queue.enqueue({ kind: 'import', id: 'a' });
    await queue.enqueue({ kind: 'import', id: 'a' });
    await queue.enqueue({ kind: 'import', id: 'other' });
    await until('the other runs', () => gate.started.includes('other'));
    expect(gate.started).toEqual(['a', 'other']);
    gate.releaseAll();
    await until('it ran again', async () => gate.started.length === 3 && (await idle('import')));
    expect(gate.started).toEqual(['a', 'other', 'a']);
  });

  it('takes an id again after it has ended', async () => {
    gate.releaseAll();
    queue.process('import', 1, gate.handler);
    for (const runs of [1, 2, 3]) {
      await queue.enqueue({ kind: 'import', id: 'a' });
      await until(`run ${runs} ended`, async () => gate.started.length === runs && (await idle('import')));
    }
  });

  it('runs as many at once as it was told, of each kind for itself', async () => {
    const deliveries = new Gate();
    queue.process('import', 1, gate.handler);
    queue.process('delivery', 3, deliveries.handler);
    for (let index = 0; index < 6; index += 1) {
      await queue.enqueue({ kind: 'import', id: `i${index}` });
      await queue.enqueue({ kind: 'delivery', id: `d${index}` });
    }
    await until('the places are taken', () => gate.running === 1 && deliveries.running === 3);
    expect((await queue.counts()).import).toEqual({ waiting: 5, delayed: 0, active: 1 });
    gate.releaseAll();
    deliveries.releaseAll();
    await until('all ran', () => gate.started.length === 6 && deliveries.started.length === 6);
    expect([gate.mostAtOnce, deliveries.mostAtOnce]).toEqual([1, 3]);
  });

  it('waits for a delay, and lets an earlier hint bring it forward', async () => {
    gate.releaseAll();
    queue.process('import', 1, gate.handler);
    const before = performance.now();
    await queue.enqueue({ kind: 'import', id: 'soon' }, { delayMs: 150 });
    await queue.enqueue({ kind: 'import', id: 'late' }, { delayMs: 3_600_000 });
    await until('the soon one ran', () => gate.started.includes('soon'));
    expect(performance.now() - before).toBeGreaterThanOrEqual(145);
    expect((await queue.counts()).import).toEqual({ waiting: 0, delayed: 1, active: 0 });
    await queue.enqueue({ kind: 'import', id: 'late' }, { delayMs: 7_200_000 });
    await queue.enqueue({ kind: 'import', id: 'late' });
    await until('the late one ran', async () => gate.started.length === 2 && (await idle('import')));
    expect(gate.started).toEqual(['soon', 'late']);
  });

  it('takes what is to be first before what waits, be it new, waiting already or delayed', async () => {
    queue.process('import', 1, gate.handler);
    await queue.enqueue({ kind: 'import', id: 'a' });
    await until('it runs', () => gate.running === 1);
    for (const id of ['b', 'c', 'd']) await queue.enqueue({ kind: 'import', id });
    await queue.enqueue({ kind: 'import', id: 'late' }, { delayMs: 3_600_000 });
    await queue.enqueue({ kind: 'import', id: 'c' }, { first: true });
    await queue.enqueue({ kind: 'import', id: 'late' }, { first: true });
    await queue.enqueue({ kind: 'import', id: 'new' }, { first: true });
    // Behind the others, as it runs now.
    await queue.enqueue({ kind: 'import', id: 'a' });
    gate.releaseAll();
    await until('all ran', async () => gate.started.length === 7 && (await idle('import')));
    expect(gate.started).toEqual(['a', 'new', 'late', 'c', 'b', 'd', 'a']);
  });

  it('does not run a failed handler again, and goes on with the others', async () => {
    const ids: string[] = [];
    queue.process('import', 1, async (id) => {
      ids.push(id);
      if (id === 'bad') throw new Error('handler broke');
    });
    await queue.enqueue({ kind: 'import', id: 'bad' });
    await queue.enqueue({ kind: 'import', id: 'good' });
    await until('both ran', async () => ids.length === 2 && (await idle('import')));
    expect(ids).toEqual(['bad', 'good']);
  });

  describe('closing', () => {
    it('lets a handler finish in its grace, and takes nothing new', async () => {
      queue.process('import', 1, gate.handler);
      await queue.enqueue({ kind: 'import', id: 'a' });
      await queue.enqueue({ kind: 'import', id: 'b' });
      await until('it runs', () => gate.running === 1);
      const closed = queue.close({ graceMs: 20_000 });
      await queue.enqueue({ kind: 'import', id: 'c' });
      gate.releaseAll();
      await closed;
      expect(gate.started).toEqual(['a']);
      expect(gate.signals[0]?.aborted).toBe(false);
    });

    it('aborts a handler that outlasts the grace, and waits until it has released its work', async () => {
      let released = false;
      queue.process('import', 1, async (_id, signal) => {
        gate.running += 1;
        await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
        expect(String(signal.reason)).toContain('shutting down');
        released = true;
      });
      await queue.enqueue({ kind: 'import', id: 'a' });
      await until('it runs', () => gate.running === 1);
      await queue.close({ graceMs: 20 });
      expect(released).toBe(true);
    });
  });
}
