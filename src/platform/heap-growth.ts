import { setFlagsFromString } from 'node:v8';

/**
 * How far the heap may grow beyond what lived in it after a collection, in percent. V8 would take 30, of which the engine's
 * pages, which count as well, fill most as soon as something is sent: the collector then goes through the whole heap
 * several times a second, on all processors. A hub at rest holds 70 MB, so this may cost as much again.
 */
const GROWTH_PERCENT = 100;

/** To be called once, when a process of the hub begins. */
export function letHeapGrow(): void {
  setFlagsFromString(`--heap-growing-percent=${GROWTH_PERCENT}`);
}
