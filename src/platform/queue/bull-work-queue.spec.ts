import { randomUUID } from 'node:crypto';
import { afterAll, expect, it } from '@jest/globals';
import Bull from 'bull';
import { describeWith } from '../../../test/support/services.js';
import { until } from '../../../test/support/until.js';
import { silentLogger } from '../log/index.js';
import { bullSettings, BullWorkQueue, type BullJobData } from './index.js';
import { describeWorkQueue } from './work-queue.suite.js';

await describeWith('Redis', 'BullWorkQueue', (redisUrl) => {
  const root = `hub-test-${randomUUID()}`;

  const open = (prefix: string) => {
    const queues = ['import', 'delivery'].map(
      (kind) => new Bull<BullJobData>(kind, redisUrl, { prefix, settings: bullSettings(60_000) }),
    );
    return new BullWorkQueue(queues, silentLogger());
  };

  afterAll(async () => {
    const cleaner = new Bull('cleaner', redisUrl, { prefix: root });
    await cleaner.isReady();
    for (const key of await cleaner.client.keys(`${root}*`)) await cleaner.client.del(key);
    await cleaner.close();
  });

  describeWorkQueue(async () => open(`${root}-${randomUUID()}`));

  it('shares the work between processes, never the same id in two of them', async () => {
    const prefix = `${root}-${randomUUID()}`;
    const workers = [open(prefix), open(prefix)];
    const running = new Set<string>();
    let runs = 0;
    let overlaps = 0;
    for (const worker of workers) {
      worker.process('import', 4, async (id) => {
        if (running.has(id)) overlaps += 1;
        running.add(id);
        await new Promise((resolve) => setImmediate(resolve));
        running.delete(id);
        runs += 1;
      });
    }
    for (let index = 0; index < 120; index += 1) {
      await workers[index % 2]?.enqueue({ kind: 'import', id: `row-${index % 7}` });
    }
    await until('all is done', async () => {
      const { waiting, active } = (await workers[0]?.counts())?.import ?? { waiting: 1, active: 1 };
      return waiting + active === 0;
    });
    expect(runs).toBeGreaterThanOrEqual(7);
    expect(overlaps).toBe(0);
    await Promise.all(workers.map((worker) => worker.close({ graceMs: 1000 })));
  });

  it('gives what a closing process released to another one', async () => {
    const prefix = `${root}-${randomUUID()}`;
    const [leaving, staying] = [open(prefix), open(prefix)];
    let started = false;
    leaving.process('delivery', 1, async (_id, signal) => {
      started = true;
      await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
    });
    await leaving.enqueue({ kind: 'delivery', id: 'd' });
    await until('it runs', () => started);
    const taken: string[] = [];
    staying.process('delivery', 1, async (id) => void taken.push(id));
    await leaving.close({ graceMs: 0 });
    await until('the other took it', () => taken.length === 1);
    expect(taken).toEqual(['d']);
    await staying.close({ graceMs: 1000 });
  });

  it('names the kinds it knows where it is asked for another', async () => {
    const queue = open(`${root}-${randomUUID()}`);
    await expect(queue.enqueue({ kind: 'export', id: 'e' })).rejects.toThrow('there are import, delivery');
    await queue.close({ graceMs: 0 });
  });
});
