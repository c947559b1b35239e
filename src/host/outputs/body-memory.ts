import type { TextMemory } from '../../kit/index.js';

/** Memory that nobody writes in and that is kept: for the bodies under way, the one made ready, and a few to spare. */
const MOST_FREE = 8;

/** Larger memory is left to the garbage collector. Bodies of partners are a few megabytes at most. */
const LARGEST_KEPT_BYTES = 2 ** 24;

/**
 * Memory of the bodies of one delivery, which is used again. Left to the garbage collector, bodies make it go through the
 * whole heap every 64 megabytes, which for large ones costs more than sending them. It is one delivery's alone, so that
 * whatever a connector does with a body after its answer, no partner gets to see another one's people.
 */
export class BodyMemory implements TextMemory {
  readonly #free: Uint8Array<ArrayBuffer>[] = [];
  #most = 0;

  /** Memory that was lent before where some is large enough. New memory is as large as any before, so that it serves too. */
  lend(bytes: number): Uint8Array<ArrayBuffer> {
    this.#most = Math.min(Math.max(this.#most, bytes), LARGEST_KEPT_BYTES);
    const index = this.#free.findIndex(({ length }) => length >= Math.max(bytes, this.#most));
    const [found] = index < 0 ? [] : this.#free.splice(index, 1);
    return found ?? new Uint8Array(Math.max(bytes, this.#most));
  }

  giveBack(memory: Uint8Array<ArrayBuffer>): void {
    // What was too small once is too small for most.
    const isUseful = memory.length >= this.#most && memory.length <= LARGEST_KEPT_BYTES;
    if (isUseful && this.#free.length < MOST_FREE) this.#free.push(memory);
  }
}
