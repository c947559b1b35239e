import type { Batch, OutputMember } from '../../src/kit/index.js';
import type { Change, Repeat } from './partner-list.js';
import { personOf } from './people.js';

/** What a partner remembers of its calls, to be held against what the hub says of them. */
export class PartnerRecord {
  readonly repeats: Repeat[] = [];
  /** What is wrong whatever happened. */
  readonly violations: string[] = [];
  readonly #answers = new Map<string, Map<string, boolean>>();
  readonly #persons = new Map<string, number>();
  readonly #contents = new Map<string, string>();

  /** What the partner last answered of the members of a delivery, by operation and mpid: true where it took them. */
  answersOf(deliveryId: string): ReadonlyMap<string, boolean> {
    return this.#answers.get(deliveryId) ?? new Map();
  }

  /** Who it is whom it knows by an mpid. */
  personOf(mpid: string): number | undefined {
    return this.#persons.get(mpid);
  }

  answered(deliveryId: string, change: Change, member: OutputMember, taken: boolean): void {
    const answers = this.#answers.get(deliveryId) ?? new Map<string, boolean>();
    answers.set(`${change} ${member.mpid}`, taken);
    this.#persons.set(member.mpid, personOf(member));
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
