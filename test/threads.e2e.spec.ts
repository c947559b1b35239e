import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { getPriority, platform, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { HubProcess } from './support/hub-process.js';
import { until } from './support/until.js';

/** Elsewhere Node cannot set the priority of a thread. */
const onLinux = platform() === 'linux' ? describe : describe.skip;

onLinux('the threads of a hub', () => {
  let folder: string;
  let hub: HubProcess;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'hub-threads-'));
    hub = await HubProcess.start({ HUB_DATA: join(folder, 'data') });
  }, 120_000);

  afterAll(async () => {
    await hub?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  it('give way to the one that answers, those of the engine as well', async () => {
    // It listens a moment before they are told.
    const yielding = await until('threads that give way', async () => {
      const found = await nicenesses();
      return found.length > 0 && found.filter((one) => one === 10).length >= 12 ? found : undefined;
    });
    expect(getPriority(hub.pid)).toBe(0);
    // A helper that Node begins later on takes after the thread that begins it.
    expect(yielding.filter((one) => one !== 10).length).toBeLessThanOrEqual(2);
  });

  async function nicenesses(): Promise<number[]> {
    const threads = (await readdir(`/proc/${hub.pid}/task`)).map(Number);
    return threads.filter((thread) => thread !== hub.pid).map((thread) => getPriority(thread));
  }
});
