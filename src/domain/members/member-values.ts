import type { MemberCursor } from './member-cursor.js';
import { textLength, textOf } from './packed-value.js';

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
  /** Bytes of each digest in a value; 0: the value is a text. */
  readonly digests: number[] = [];

  /** Takes those of the member that the cursor stands at, which moves behind them. */
  readFrom(cursor: MemberCursor): void {
    const { identities, rows } = cursor;
    const { packed, identities: bytes } = rows;
    this.count = 0;
    for (; cursor.owns(identities); identities.next()) {
      const { place, from, to } = identities;
      const isPacked = packed[place] === true;
      this.insert(bytes, place, isPacked ? from + 1 : from, to, isPacked ? (bytes[from] ?? 0) : 0);
    }
    // Two places of one type may have the same value: the first one keeps it.
    for (let one = this.count - 1; one > 0; one -= 1) if (this.isRepeat(cursor, one)) this.drop(one);
  }

  /** Those of one place are in order, so that equal ones stand side by side. */
  private isRepeat({ rows }: MemberCursor, one: number): boolean {
    const { places, froms, tos, digests } = this;
    const { types, identities } = rows;
    const place = places[one] ?? 0;
    const isSame = (other: number) =>
      this.compareTexts(identities, other, froms[one] ?? 0, tos[one] ?? 0, digests[one] ?? 0) === 0;
    if (places[one - 1] === place && isSame(one - 1)) return true;
    // Places of one type are side by side.
    if (types[place - 1] !== types[place]) return false;
    for (let other = one - 1; other >= 0 && types[places[other] ?? 0] === types[place]; other -= 1) {
      if (places[other] !== place && isSame(other)) return true;
    }
    return false;
  }

  private drop(one: number): void {
    for (const list of [this.places, this.froms, this.tos, this.digests]) list.splice(one, 1);
    this.count -= 1;
  }

  /** The text that one of them stands for, in UTF-8; `identities` are those of the page. */
  textOf(identities: Buffer, one: number): Buffer {
    return textOf(identities, this.froms[one] ?? 0, this.tos[one] ?? 0, this.digests[one] ?? 0);
  }

  /** Bytes of that text. */
  lengthOf(one: number): number {
    return textLength(this.froms[one] ?? 0, this.tos[one] ?? 0, this.digests[one] ?? 0);
  }

  private insert(bytes: Buffer, place: number, from: number, to: number, digest: number): void {
    let at = this.count;
    // Mostly it belongs to the end, where the engine put it.
    while (at > 0 && this.compare(bytes, at - 1, place, from, to, digest) > 0) {
      const { places, froms, tos, digests } = this;
      this.put(at, places[at - 1] ?? 0, froms[at - 1] ?? 0, tos[at - 1] ?? 0, digests[at - 1] ?? 0);
      at -= 1;
    }
    this.put(at, place, from, to, digest);
    this.count += 1;
  }

  private put(at: number, place: number, from: number, to: number, digest: number): void {
    this.places[at] = place;
    this.froms[at] = from;
    this.tos[at] = to;
    this.digests[at] = digest;
  }

  private compare(
    bytes: Buffer,
    one: number,
    place: number,
    from: number,
    to: number,
    digest: number,
  ): number {
    return (this.places[one] ?? 0) - place || this.compareTexts(bytes, one, from, to, digest);
  }

  /** Digests stand in the order of their digits. */
  private compareTexts(bytes: Buffer, one: number, from: number, to: number, digest: number): number {
    if (this.digests[one] === digest) return bytes.compare(bytes, from, to, this.froms[one], this.tos[one]);
    return this.textOf(bytes, one).compare(textOf(bytes, from, to, digest));
  }
}
