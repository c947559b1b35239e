import { createHash } from 'node:crypto';
import type { Readable } from 'node:stream';
import { HubError } from '../../domain/errors/index.js';

/** Without a byte for so long, a sender counts as gone. */
const IDLE_MS = 60_000;

/** What was seen of a body so far. */
export class Measure {
  sizeBytes = 0;
  private readonly hash = createHash('sha256');

  add(chunk: Uint8Array): void {
    this.sizeBytes += chunk.byteLength;
    this.hash.update(chunk);
  }

  /** Of everything; once, after the last chunk. */
  sha256(): string {
    return this.hash.digest('hex');
  }
}

/** What a body may be. */
export interface BodyLimits {
  maxBytes: number;
  declaredBytes?: number;
}

/**
 * The chunks of `body` as they come, counted and hashed. Throws before the rest is read where they are too
 * many; `body` itself is left open then, so that its sender can still be answered.
 */
export async function* measured(
  body: Readable,
  limits: BodyLimits,
  measure: Measure,
): AsyncGenerator<Buffer> {
  const { maxBytes, declaredBytes } = limits;
  if (declaredBytes !== undefined && declaredBytes > maxBytes) throw tooLarge(maxBytes);
  const idle = setTimeout(() => body.destroy(stalled()), IDLE_MS);
  try {
    for await (const chunk of body.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      idle.refresh();
      measure.add(chunk);
      if (measure.sizeBytes > maxBytes) throw tooLarge(maxBytes);
      yield chunk;
    }
  } catch (error) {
    throw error instanceof HubError ? error : cutShort(error);
  } finally {
    clearTimeout(idle);
  }
  if (declaredBytes !== undefined && declaredBytes !== measure.sizeBytes) {
    const message = `The file has ${measure.sizeBytes} bytes, and ${declaredBytes} were announced. Send it whole.`;
    throw new HubError('MALFORMED_BODY', message);
  }
}

/** The answer to a file over the limit of its input. */
export function tooLarge(maxBytes: number): HubError {
  return new HubError(
    'BODY_TOO_LARGE',
    `The file is larger than the ${maxBytes} bytes that this input takes. Split it, or raise the limit.`,
  );
}

function stalled(): HubError {
  return new HubError('MALFORMED_BODY', `No byte came for ${IDLE_MS / 1000} s. Send the file again.`);
}

function cutShort(cause: unknown): HubError {
  const message = 'The connection ended before the file did. Nothing of it was taken; send it again.';
  return new HubError('MALFORMED_BODY', message, undefined, { cause });
}
