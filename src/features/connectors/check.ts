import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import type { ReadyInput, ReadyOutput } from '../../host/context/index.js';
import { ConnectorError, FAULT_KINDS, type FaultKind } from '../../kit/index.js';

/** How long a check may take, in milliseconds. */
const CHECK_TIMEOUT_MS = 30_000;

/** "Does this configuration work?" Both answers are 200: the question was answered. */
export class CheckView {
  @ApiProperty()
  ok!: boolean;
  @ApiPropertyOptional({ enum: FAULT_KINDS })
  kind?: FaultKind;
  @ApiPropertyOptional({ example: 'HTTP_401' })
  code?: string;
  @ApiPropertyOptional({ description: 'What happened and what to do next' })
  message?: string;
}

/** Makes the connector ready and runs its check. Problems of settings are thrown, all others answered. */
export async function runCheck(makeReady: () => Promise<ReadyInput | ReadyOutput>): Promise<CheckView> {
  try {
    const ready = await makeReady();
    return await checkReady(ready);
  } catch (error) {
    if (error instanceof ConnectorError) return failed(error);
    throw error;
  }
}

async function checkReady(ready: ReadyInput | ReadyOutput): Promise<CheckView> {
  const ended = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  // A connector may not listen to its signal, so the answer does not wait for it.
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new ConnectorError('retryable', 'TIMEOUT', `No answer within ${CHECK_TIMEOUT_MS / 1000} s.`));
      ended.abort();
    }, CHECK_TIMEOUT_MS);
  });
  try {
    await Promise.race([ready.plugin.check(ready.context(ended.signal)), late]);
    return { ok: true };
  } catch (error) {
    return failed(ready.failure(error));
  } finally {
    clearTimeout(timer);
  }
}

function failed({ kind, code, message }: ConnectorError): CheckView {
  return { ok: false, kind, code, message };
}
