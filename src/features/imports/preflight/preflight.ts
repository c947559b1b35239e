import type { ExplainRequest, PreflightReport, PreflightRequest, RowExplanation } from './report.js';
import { runApart } from './run-in-worker.js';

/**
 * Checks a file before the engine reads it: encoding, delimiter, header, and the structure of every record. Says how
 * the engine must read the good records. The verdict is the import's verdict, also when called alone.
 *
 * Runs in a thread of its own. May be killed and run again: what it writes it writes anew. Rejects with the reason
 * of `signal`, or with the system's error (code ENOSPC, EACCES, ENOENT …) where a file cannot be read or written,
 * or with a RangeError where the request names an impossible delimiter.
 */
export async function preflight(request: PreflightRequest, signal: AbortSignal): Promise<PreflightReport> {
  const { delimiter } = request;
  if (delimiter !== undefined && !/^[\t -!#-~]$/.test(delimiter)) {
    throw new RangeError('The delimiter must be one ASCII character, a tab or visible, and no quote.');
  }
  return (await runApart({ kind: 'preflight', request }, signal)) as PreflightReport;
}

/**
 * Second pass, for files in which the engine found rows without a valid identity: the same rules, in JavaScript,
 * with row numbers. Appends to the rejects file behind the preflight's rows, however often it runs.
 */
export async function explainRows(request: ExplainRequest, signal: AbortSignal): Promise<RowExplanation> {
  return (await runApart({ kind: 'explain', request }, signal)) as RowExplanation;
}
