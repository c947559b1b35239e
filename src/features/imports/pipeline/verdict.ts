import { isConnectorError, isSourceChanged, type ConnectorError } from '../../../kit/index.js';
import type { ImportProblem, ImportStep } from '../../../platform/database/index.js';
import { LeaseLostError } from '../../../platform/lease/index.js';
import { WarehouseError } from '../../../platform/warehouse/index.js';
import { ImportFailure } from './import-failure.js';

/** What becomes of an import whose step threw. */
export type Verdict =
  | { what: 'retry'; code: string; notBefore: Date; step?: ImportStep }
  | { what: 'superseded'; problem: ImportProblem }
  | { what: 'fail'; problem: ImportProblem; again: boolean; stack?: unknown };

/** Tries of an import before a passing cause becomes a failure. */
const MAX_ATTEMPTS = 5;
const FIRST_WAIT_MS = 2000;
const MAX_WAIT_MS = 60_000;

/** ClickHouse: MEMORY_LIMIT_EXCEEDED, CANNOT_ALLOCATE_MEMORY. */
const MEMORY_CODES = new Set(['241', '173']);

/** Decides by what was thrown and how often the import was begun. */
export function verdictOf(error: unknown, attempts: number, now: Date): Verdict {
  if (error instanceof ImportFailure) {
    return { what: 'fail', problem: error.problem, again: error.options.again ?? false };
  }
  if (isSourceChanged(error)) return { what: 'superseded', problem: REPLACED };
  if (isDiskFull(error)) return { what: 'fail', problem: DISK_FULL, again: true };
  if (isConnectorError(error)) return verdictOfConnector(error, attempts, now);
  if (error instanceof WarehouseError && MEMORY_CODES.has(error.code ?? '')) {
    return { what: 'fail', problem: OUT_OF_MEMORY, again: true };
  }
  // Another process was quicker, or this one slept: what was not done yet is done later.
  if (error instanceof LeaseLostError && attempts < MAX_ATTEMPTS) return retry('LEASE_LOST', attempts, now);
  if (attempts < 2) return retry('UNEXPECTED', attempts, now);
  return { what: 'fail', problem: UNEXPECTED, again: true, stack: error };
}

function verdictOfConnector(error: ConnectorError, attempts: number, now: Date): Verdict {
  const passing = error.kind === 'retryable' || error.kind === 'rate_limited';
  if (passing && attempts < MAX_ATTEMPTS) return retry(error.code, attempts, now, error.retryAfterMs);
  if (error.kind === 'unexpected' && attempts < 2) return retry(error.code, attempts, now);
  return {
    what: 'fail',
    problem: { code: error.code, message: error.message },
    again: true,
    stack: undefined,
  };
}

function retry(code: string, attempts: number, now: Date, afterMs?: number): Verdict {
  const waitMs = Math.max(
    afterMs ?? 0,
    Math.min(FIRST_WAIT_MS * 2 ** Math.max(0, attempts - 1), MAX_WAIT_MS),
  );
  return { what: 'retry', code, notBefore: new Date(now.getTime() + waitMs) };
}

interface Cause {
  code?: string;
  name?: string;
  message?: string;
  cause?: Cause;
}

/** ENOSPC and EDQUOT, however deep they are wrapped; and the engine's own words for them. */
function isDiskFull(error: unknown): boolean {
  for (let cause = error as Cause | undefined; cause; cause = cause.cause) {
    const { code, name, message } = cause;
    if (code === 'ENOSPC' || code === 'EDQUOT' || name === 'StorageFullError' || code === '243') return true;
    if (/No space left on device|not enough space/i.test(message ?? '')) return true;
  }
  return false;
}

const REPLACED: ImportProblem = {
  code: 'SOURCE_REPLACED',
  message:
    'The file was replaced while it was read. Nothing of it was taken; the new file is imported instead.',
};

const DISK_FULL: ImportProblem = {
  code: 'DISK_FULL',
  message:
    'The disk of the data directory is full, so the import stopped and the members stay as they were. Free some space; the next scan takes the file up again; one that was sent to the hub has to be sent again.',
};

const OUT_OF_MEMORY: ImportProblem = {
  code: 'OUT_OF_MEMORY',
  message:
    'The import needs more memory than HUB_WAREHOUSE_MEMORY allows. Raise it; the next scan takes the file up again; one that was sent to the hub has to be sent again.',
};

const UNEXPECTED: ImportProblem = {
  code: 'UNEXPECTED',
  message:
    'The import failed for a reason the hub does not know; the log of this moment says more. The members stay as they were, and the next scan takes the file up again; one that was sent to the hub has to be sent again.',
};
