import { types } from 'node:util';
import { MessageChannel } from 'node:worker_threads';

/** Smaller buffers may share their memory with others, and are not worth it. */
const LEAST_BYTES = 2 ** 20;

/**
 * Gives the memory of a large buffer back now, by handing it over to nobody. Left to the garbage collector, buffers of
 * many megabytes make it go through the whole heap time and again. Whoever reads the buffer afterwards finds it empty.
 */
export function freeBuffer({ buffer: memory, byteLength }: Buffer): void {
  if (!types.isArrayBuffer(memory) || byteLength < LEAST_BYTES || memory.byteLength !== byteLength) return;
  const { port1, port2 } = new MessageChannel();
  port2.close();
  port1.postMessage(undefined, [memory]);
  port1.close();
}
