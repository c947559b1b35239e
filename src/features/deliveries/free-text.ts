import { types } from 'node:util';
import { MessageChannel } from 'node:worker_threads';

/** Smaller buffers may share their memory with others, and are not worth it. */
const LEAST_BYTES = 2 ** 20;

/** A text may begin behind a line that the engine wrote above it. */
const MOST_AROUND_BYTES = 64;

/**
 * Gives the memory of a large text back now, by handing it over to nobody. Left to the garbage collector, texts of many
 * megabytes make it go through the whole heap time and again, which took more of a delivery than sending did. Whoever
 * reads the text afterwards finds it empty.
 */
export function freeText(text: Buffer): void {
  const { buffer: memory, byteLength } = text;
  if (!types.isArrayBuffer(memory) || byteLength < LEAST_BYTES) return;
  if (memory.byteLength - byteLength > MOST_AROUND_BYTES) return;
  const { port1, port2 } = new MessageChannel();
  port2.close();
  port1.postMessage(undefined, [memory]);
  port1.close();
}
