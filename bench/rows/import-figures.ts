import { mib, type Figure } from '../report.js';

/** Peak of the resident memory that an import may reach. */
const MEMORY_TARGET_BYTES = 2.5 * 2 ** 30;
const HEALTH_TARGET_MS = 100;

/** What every import is held to. `floor`: what the peak is shown beside. */
export function limitFigures(name: string, peakBytes: number, healthMs: number, floor = ''): Figure[] {
  return [
    {
      name: `${name}: peak memory, GiB`,
      ours: mib(peakBytes),
      floor,
      value: peakBytes / 2 ** 30,
      target: { at: 'most', value: MEMORY_TARGET_BYTES / 2 ** 30 },
    },
    {
      name: `${name}: p99 of GET /health, ms`,
      ours: `${healthMs.toFixed(0)} ms`,
      floor: '',
      value: healthMs,
      target: { at: 'most', value: HEALTH_TARGET_MS },
      // A hundred looks at a shared machine: one hiccup is the 99th of them.
      farOff: 10 * HEALTH_TARGET_MS,
    },
  ];
}
