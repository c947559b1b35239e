import type { IdentityType } from '../../kit/index.js';
import { LEAVERS_AT_ONCE, type Ledger, type ValueRequest } from '../ledger/index.js';

/** Values of those who leave that somebody who is there has as well, in ascending order of who leaves. */
export class SharedValues {
  /** By mpid, as {@link nameOf} calls them. */
  readonly #found = new Map<string, Set<string>>();
  #upTo: string | null | undefined;

  constructor(
    private readonly ledger: Ledger,
    private readonly request: ValueRequest,
  ) {}

  static nameOf(type: IdentityType, value: string): string {
    return `${type} ${value}`;
  }

  /** Those of the leavers from one to another, both included, who are behind those that were asked for before. */
  async between(first: string, last: string): Promise<ReadonlyMap<string, ReadonlySet<string>>> {
    for (const mpid of this.#found.keys()) if (BigInt(mpid) < BigInt(first)) this.#found.delete(mpid);
    while (this.#upTo === undefined || (this.#upTo !== null && BigInt(this.#upTo) < BigInt(last))) {
      const after = this.#upTo ?? before(first);
      const { values, upTo } = await this.ledger.sharedValues(this.request, {
        after,
        limit: LEAVERS_AT_ONCE,
      });
      for (const { mpid, type, value } of values) {
        const names = this.#found.get(mpid) ?? new Set();
        this.#found.set(mpid, names.add(SharedValues.nameOf(type, value)));
      }
      this.#upTo = upTo;
    }
    return this.#found;
  }
}

/** The mpid in front of one; null: there is none. */
function before(mpid: string): string | null {
  const least = -(2n ** 63n);
  return BigInt(mpid) === least ? null : String(BigInt(mpid) - 1n);
}
