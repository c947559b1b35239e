import { checkSource } from './check-source.js';
import { explainFile } from './explain-file.js';
import type { Breathe } from './local-file.js';
import type { ExplainRequest, PreflightReport, PreflightRequest, RowExplanation } from './report.js';

/** What a worker thread is asked to do. Plain data. */
export type Task =
  { kind: 'preflight'; request: PreflightRequest } | { kind: 'explain'; request: ExplainRequest };

/** What comes back: an error keeps its message and system code (ENOSPC, EACCES) across threads. */
export type TaskAnswer =
  | { ok: true; result: PreflightReport | RowExplanation }
  | { ok: false; message: string; code: string | undefined };

export function runTask(task: Task, breathe: Breathe): Promise<PreflightReport | RowExplanation> {
  return task.kind === 'preflight' ? checkSource(task.request, breathe) : explainFile(task.request, breathe);
}
