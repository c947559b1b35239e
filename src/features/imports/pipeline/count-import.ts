import type { Metrics } from '../../../platform/metrics/index.js';
import { importRows } from './import-rows.js';
import type { EndState } from './import-listener.js';
import type { ImportWork } from './import-work.js';

/** Id of the plugin whose file it is; `none` where the input is gone. */
export const pluginOf = (work: ImportWork): string => work.input?.plugin ?? 'none';

/** Adds an import that ended to the figures for Prometheus. Only what it changed is counted. */
export function countImport(metrics: Metrics, work: ImportWork, state: EndState, now: Date): void {
  metrics.imports.inc({ state, plugin: pluginOf(work) });
  const startedAt = work.row.startedAt ?? now;
  metrics.importSeconds.observe({ state }, (now.getTime() - startedAt.getTime()) / 1000);
  if (state !== 'published' && state !== 'unchanged') return;
  const { matched, created, unknown, duplicate, rejected } = importRows(work);
  for (const [outcome, rows] of Object.entries({ matched, created, unknown, duplicate, rejected })) {
    metrics.importRows.inc({ outcome }, rows);
  }
  metrics.membershipChanges.inc({ change: 'add' }, work.row.added ?? 0);
  metrics.membershipChanges.inc({ change: 'remove' }, work.row.removed ?? 0);
}
