import { HubError } from '../../../domain/errors/index.js';
import { isConnectorError, isSourceChanged } from '../../../kit/index.js';
import type { ImportProblem } from '../../../platform/database/index.js';
import { verdictOf } from '../pipeline/verdict.js';

/** How long a file is looked at before the request has to be answered, in milliseconds. */
export const DRY_RUN_TIMEOUT_MS = 5 * 60 * 1000;

/** Runs `work`; what passes by, or lies in the caller's hands, becomes an answer of the API. */
export async function answerOf<T>(signal: AbortSignal, now: Date, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw error instanceof HubError ? error : (asAnswer(error, signal, now) ?? error);
  }
}

function asAnswer(error: unknown, signal: AbortSignal, now: Date): HubError | undefined {
  if (signal.aborted) return ended(signal);
  if (isSourceChanged(error)) {
    return new HubError('WRONG_STATE', 'The file was replaced while it was read. Ask again.');
  }
  if (isConnectorError(error)) return new HubError('UNAVAILABLE', `${error.message} (${error.code})`);
  const verdict = verdictOf(error, Number.POSITIVE_INFINITY, now);
  if (verdict.what !== 'fail' || verdict.stack !== undefined) return undefined;
  const { code } = verdict.problem;
  return new HubError('UNAVAILABLE', `The hub has no room left to look at the file (${code}). Make some.`);
}

function ended(signal: AbortSignal): HubError {
  const { name } = signal.reason as { name?: string };
  if (name !== 'TimeoutError') return new HubError('BAD_REQUEST', 'The request was given up by its sender.');
  const minutes = DRY_RUN_TIMEOUT_MS / 60_000;
  return new HubError(
    'UNAVAILABLE',
    `The file was not looked at within ${minutes} minutes. Send a part of it, or import it: an import may take longer.`,
  );
}

/** The answer to a body over the limit of its layout. */
export function bodyTooLarge(maxBytes: number): HubError {
  return new HubError('BODY_TOO_LARGE', `A file of this layout has at most ${maxBytes} bytes. Split it.`);
}

/** Why a file at a barred key would make nothing. */
export const TOMBSTONED: ImportProblem = {
  code: 'TOMBSTONED',
  message:
    'The audience of this key was deleted, and its file makes none again. Lift the tombstone (POST /inputs/{id}/tombstones/lift), or use another key.',
};
