import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeFiles } from '../inputs/files.js';
import { HealthWatch } from '../process/health-watch.js';
import { BenchHub } from '../process/hub.js';
import { forgetPeak, peakMemoryBytes } from '../process/resources.js';
import { folderDrop, importOnce, makeTenant } from '../process/tenant.js';
import { mib, seconds, type Figure } from '../report.js';

/** As that of a file of ids: see `import-row.ts`. */
const MEMORY_TARGET_BYTES = 2.5 * 2 ** 30;
const HEALTH_TARGET_MS = 100;
const ROWS_A_SECOND = 100_000;

/** Importing `count` people of two identities each, who share one of them by twos, with the memory that a hub has by itself. */
export async function peopleRow(count: number): Promise<Figure[]> {
  const folder = await mkdtemp(join(tmpdir(), 'hub-bench-'));
  const drop = join(folder, 'drop');
  const place = join(drop, 'onboarding', 'seat_id=bench', 'bench');
  let hub: BenchHub | undefined;
  try {
    await mkdir(place, { recursive: true });
    await writeFiles([{ kind: 'households', path: join(place, 'audience.csv'), first: 0, count }]);
    hub = await BenchHub.start(join(folder, 'data'));
    const tenant = await makeTenant(hub, folderDrop(drop, 'iqm'));
    const health = new HealthWatch(hub.url);
    forgetPeak(hub.pid);
    const ended = await importOnce(hub, tenant);
    const healthMs = await health.stop();
    if (ended.added !== count) throw new Error(`The import added ${ended.added}: the figures mean nothing.`);
    const tookSeconds = (Date.parse(ended.finishedAt) - Date.parse(ended.startedAt)) / 1000;
    return figuresOf(count, tookSeconds, peakMemoryBytes(hub.pid), healthMs);
  } finally {
    await hub?.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

function figuresOf(count: number, tookSeconds: number, peakBytes: number, healthMs: number): Figure[] {
  const name = `import ${count / 1e6} M people`;
  return [
    {
      name: `${name}: rows a second`,
      ours: seconds(tookSeconds),
      floor: '',
      value: count / tookSeconds,
      target: { at: 'least', value: ROWS_A_SECOND },
    },
    {
      name: `${name}: peak memory, GiB`,
      ours: mib(peakBytes),
      floor: '',
      value: peakBytes / 2 ** 30,
      target: { at: 'most', value: MEMORY_TARGET_BYTES / 2 ** 30 },
    },
    {
      name: `${name}: p99 of GET /health, ms`,
      ours: `${healthMs.toFixed(0)} ms`,
      floor: '',
      value: healthMs,
      target: { at: 'most', value: HEALTH_TARGET_MS },
      farOff: 10 * HEALTH_TARGET_MS,
    },
  ];
}
