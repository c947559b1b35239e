import type { Batch } from '../../src/kit/index.js';
import type { Change, Repeat } from './partner-list.js';

/** What a partner remembers of its calls, to be held against what the hub says of them. */
export class PartnerRecord {
  readonly repeats: Repeat[] = [];
  /** What is wrong whatever happened. */
  readonly violations: string[] = [];
  /** False while it answers a process that has lost its right to write that down. */
  isHeard = true;
  readonly #answers = new Map<string, Map<string, boolean>>();
  readonly #contents = new Map<string, string>();

  /** What the partner last answered of the members of a delivery, by operation and mpid: true where it took them. */
  answersOf(deliveryId: string): ReadonlyMap<string, boolean> {
    return this.#answers.get(deliveryId) ?? new Map();
  }

  answered(deliveryId: string, change: Change, mpid: string, taken: boolean): void {
    if (!this.isHeard) return;
    const answers = this.#answers.get(deliveryId) ?? new Map<string, boolean>();
    answers.set(`${change} ${mpid}`, taken);
    this.#answers.set(deliveryId, answers);
  }

  /** The id of a batch stands for its members. */
  holdToContents(change: Change, { id, members }: Batch): void {
    const content = `${change} ${members.map(({ mpid }) => mpid).join()}`;
    const before = this.#contents.get(id);
    if (before !== undefined && before !== content) {
      this.violations.push(`Batch ${id} was "${before}" and then "${content}".`);
    }
    this.#contents.set(id, content);
  }
}
