import type { IdentityType } from '../../kit/index.js';

/**
 * A page of members as the engine hands it over: streams that are sorted by mpid and merged here, because that costs
 * the engine a tenth of joining them, or of writing their JSON. Each is the engine's format RowBinary.
 */
export interface MemberRows {
  /** Rows of `mpid Int64`: the members, ascending, each once. */
  owners: Buffer;
  /**
   * Rows of `mpid Int64, place UInt8, value String`, ascending by mpid: identities in the forms at these places of
   * `types`. Some may be of people who are no owners, some there twice, and some empty: of those nothing is sent.
   */
  identities: Buffer;
  /** The same of attributes, at these places of `names`. Each place once an mpid. */
  attributes: Buffer;
  /** Type of each place. Places of one type are side by side. */
  types: readonly IdentityType[];
  /** Of each place, whether its values are packed: see `packed-value.ts`. */
  packed: readonly boolean[];
  /** Names of the attributes. */
  names: readonly string[];
  /** What place a byte of `identities` stands for. Undefined: for itself. */
  placeOf?: Uint8Array | undefined;
}

/** Bytes of an mpid. */
export const MPID_BYTES = 8;

/** Where the value's length stands in a row. */
export const LENGTH_AT = MPID_BYTES + 1;

/** A length that begins with such a byte, or a greater one, has more. */
export const MORE = 0x80;

const SEVEN_BITS = 0x7f;

/** Reads the integers of a buffer: one instruction each, where a method of Buffer is a call with checks. */
export function viewOf({ buffer, byteOffset, byteLength }: Buffer): DataView {
  return new DataView(buffer, byteOffset, byteLength);
}

const ITSELF = Uint8Array.from({ length: 256 }, (_, byte) => byte);

const SIGN = 0x80000000 | 0;

/**
 * The lower half of an mpid as a signed integer in the order of those without sign; the other way round, too. Without
 * sign, every second one would be a number that is allocated: many a member, and millions a delivery.
 */
export function movedHalf(low: number): number {
  return low ^ SIGN;
}

/** Walks through rows of `mpid, place, value`. Positions are those of the bytes; no row is looked at twice. */
export class RowCursor {
  done = false;
  /** Where the row begins. */
  at: number;
  /** The two halves of its mpid, the lower one moved: see {@link movedHalf}. */
  high = 0;
  low = 0;
  place = 0;
  /** Where its value begins, and where it ends: the next row's beginning. */
  from = 0;
  to: number;
  readonly view: DataView;

  /** @param passesEmpty whether rows with an empty value are none */
  constructor(
    private readonly bytes: Buffer,
    start: number,
    private readonly passesEmpty: boolean,
    private readonly placeOf: Uint8Array = ITSELF,
  ) {
    this.view = viewOf(bytes);
    this.at = start;
    this.to = start;
    this.next();
  }

  /** Goes to the next row. */
  next(): void {
    do this.step();
    while (this.passesEmpty && this.to === this.from && !this.done);
  }

  /** Goes to the row at a position, from one that was found by looking at the bytes. */
  goTo(at: number): void {
    this.to = at;
    this.next();
  }

  private step(): void {
    const { bytes, view, to } = this;
    this.at = to;
    if (to >= bytes.length) {
      this.done = true;
      return;
    }
    this.low = movedHalf(view.getInt32(to, true));
    this.high = view.getInt32(to + 4, true);
    this.place = this.placeOf[bytes[to + MPID_BYTES] ?? 0] ?? 0;
    const first = bytes[to + LENGTH_AT] ?? 0;
    this.from = to + LENGTH_AT + 1;
    const length = first < MORE ? first : this.longLength(first);
    this.to = this.from + length;
  }

  /** Of 128 bytes or more: seven bits a byte, the lowest first. */
  private longLength(first: number): number {
    let length = first & SEVEN_BITS;
    for (let scale = 2 ** 7; ; scale *= 2 ** 7) {
      const byte = this.bytes[this.from++] ?? 0;
      length += (byte & SEVEN_BITS) * scale;
      if (byte < MORE) return length;
    }
  }
}

/** The mpid at a position. */
export function mpidAt(owners: Buffer, position: number): string {
  return owners.readBigInt64LE(position).toString();
}
