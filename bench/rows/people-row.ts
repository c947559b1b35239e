import { HealthWatch } from '../process/health-watch.js';
import { forgetPeak, peakMemoryBytes } from '../process/resources.js';
import { importOnce } from '../process/tenant.js';
import { seconds, type Figure } from '../report.js';
import { limitFigures } from './import-figures.js';
import { withFile } from './people-hub.js';

const ROWS_A_SECOND = 100_000;

/** Importing `count` people of two identities each, who share one of them by twos, with the memory that a hub has by itself. */
export async function peopleRow(count: number): Promise<Figure[]> {
  return withFile('households', count, async ({ hub, tenant }) => {
    const health = new HealthWatch(hub.url);
    forgetPeak(hub.pid);
    const ended = await importOnce(hub, tenant);
    const healthMs = await health.stop();
    if (ended.added !== count) throw new Error(`The import added ${ended.added}: the figures mean nothing.`);
    const tookSeconds = (Date.parse(ended.finishedAt) - Date.parse(ended.startedAt)) / 1000;
    return figuresOf(count, tookSeconds, peakMemoryBytes(hub.pid), healthMs);
  });
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
    ...limitFigures(name, peakBytes, healthMs),
  ];
}
