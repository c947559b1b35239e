import { readdirSync } from 'node:fs';
import { platform, setPriority } from 'node:os';

/** As `nice` counts: a thread of this niceness gets a tenth of a processor that one of niceness 0 wants as well. */
const NICENESS = 10;

/**
 * Lets every thread of this process give way to the one that calls this: the thread of the event loop, which answers people
 * and partners. Without it, on a machine of few processors, whoever answers waits for its turn behind queries of the engine
 * and the helpers of the garbage collector. They lose nothing while it rests; threads that they start take after them.
 *
 * To be called once everything is open, because only threads that are there can be told. Linux only: elsewhere threads have
 * no priority of their own that Node could set.
 */
export function letThreadsGiveWay(): void {
  if (platform() !== 'linux') return;
  for (const thread of readdirSync('/proc/self/task').map(Number))
    if (thread !== process.pid) yieldTo(thread);
}

/** It may have ended, or the system may not allow it: then it is as it was. */
function yieldTo(thread: number): void {
  try {
    setPriority(thread, NICENESS);
  } catch {
    return;
  }
}
