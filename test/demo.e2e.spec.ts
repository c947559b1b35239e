import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { HubProcess, type LogLine } from './support/hub-process.js';

interface List<Item> {
  items: Item[];
  total: number;
}

const START_MS = 90_000;
const isShown = (line: LogLine) => line.msg === 'The example audience was imported and delivered';

describe('the demo', () => {
  let folder: string;
  let hub: HubProcess | undefined;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'hub-demo-'));
  });

  afterEach(async () => {
    await hub?.stop();
    hub = undefined;
    await rm(folder, { recursive: true, force: true });
  });

  const start = (env: Record<string, string> = {}) =>
    HubProcess.start({ HUB_DATA: folder, HUB_DEMO: 'true', ...env });

  it(
    'imports and delivers the example at the first start, and is not made again',
    async () => {
      hub = await start();
      await hub.line('the demo is shown', isShown);
      await expectWhole(hub, folder);
      await hub.stop();
      hub = await start();
      expect((await hub.api<List<unknown>>('GET', '/organizations')).total).toBe(1);
      await hub.stop();
      expect(hub.lines.filter(({ context }) => context === 'demo')).toEqual([]);
      hub = undefined;
    },
    START_MS,
  );

  it(
    'goes on where it was killed, and makes everything once',
    async () => {
      hub = await start();
      await hub.line('the demo is begun', ({ context }) => context === 'demo');
      await hub.kill();
      hub = await start();
      await hub.line('the file is imported', ({ msg }) => msg === 'audience imported');
      await hub.kill();
      hub = await start();
      await hub.line('the demo is shown', isShown);
      await expectWhole(hub, folder);
    },
    START_MS,
  );

  it(
    'is left out by HUB_DEMO=false',
    async () => {
      hub = await start({ HUB_DEMO: 'false' });
      expect((await hub.api<List<unknown>>('GET', '/organizations')).total).toBe(0);
    },
    START_MS,
  );
});

/** One of everything, and the delivered file holds every person of the example. */
async function expectWhole(hub: HubProcess, folder: string): Promise<void> {
  for (const list of ['organizations', 'workspaces', 'inputs', 'outputs', 'audiences']) {
    expect({ list, total: (await hub.api<List<unknown>>('GET', `/${list}`)).total }).toEqual({
      list,
      total: 1,
    });
  }
  const { items } = await hub.api<List<{ size: number; version: number }>>('GET', '/audiences');
  expect(items).toEqual([expect.objectContaining({ size: 20, version: 1 })]);
  const source = join(folder, 'demo/drop/onboarding/seat_id=demo/example/Example Audience.csv');
  const emailsOf = (text: string) => (text.match(/[\w.]+@example\.com/g) ?? []).sort();
  const delivered = await readFile(join(folder, 'demo/out/Example Audience.csv'), 'utf8');
  expect(emailsOf(delivered)).toEqual(emailsOf(await readFile(source, 'utf8')));
}
