import type { MemberCursor } from './member-cursor.js';

/**
 * Identities of one member, in the order of their places and then of their bytes, none twice in a type. Filled anew
 * for each member: so a delivery of millions makes no garbage of them.
 */
export class MemberValues {
  count = 0;
  readonly places: number[] = [];
  /** Where each value begins and ends in the page's identities. */
  readonly froms: number[] = [];
  readonly tos: number[] = [];

  /** Takes those of the member that the cursor stands at, which moves behind them. */
  readFrom(cursor: MemberCursor): void {
    const { identities, rows } = cursor;
    this.count = 0;
    for (; cursor.owns(identities); identities.next()) {
      this.insert(rows.identities, identities.place, identities.from, identities.to);
    }
    // Two places of one type may have the same value.
    for (let one = this.count - 1; one > 0; one -= 1) {
      const { places, froms, tos } = this;
      const sameType = rows.types[places[one] ?? 0] === rows.types[places[one - 1] ?? 0];
      if (!sameType || this.compareBytes(rows.identities, one - 1, froms[one] ?? 0, tos[one] ?? 0) !== 0)
        continue;
      for (const list of [places, froms, tos]) list.splice(one, 1);
      this.count -= 1;
    }
  }

  private insert(bytes: Buffer, place: number, from: number, to: number): void {
    let at = this.count;
    // Mostly it belongs to the end, where the engine put it.
    while (at > 0 && this.compare(bytes, at - 1, place, from, to) > 0) {
      this.put(at, this.places[at - 1] ?? 0, this.froms[at - 1] ?? 0, this.tos[at - 1] ?? 0);
      at -= 1;
    }
    this.put(at, place, from, to);
    this.count += 1;
  }

  private put(at: number, place: number, from: number, to: number): void {
    this.places[at] = place;
    this.froms[at] = from;
    this.tos[at] = to;
  }

  private compare(bytes: Buffer, one: number, place: number, from: number, to: number): number {
    return (this.places[one] ?? 0) - place || this.compareBytes(bytes, one, from, to);
  }

  private compareBytes(bytes: Buffer, one: number, from: number, to: number): number {
    return bytes.compare(bytes, from, to, this.froms[one], this.tos[one]);
  }
}
