import {
  LENGTH_AT,
  MORE,
  movedHalf,
  MPID_BYTES,
  mpidAt,
  RowCursor,
  viewOf,
  type MemberRows,
} from './member-rows.js';

/** A place between two members of a page. */
export interface MemberPosition {
  /** In bytes of `owners`, `identities` and `attributes`. */
  owner: number;
  identity: number;
  attribute: number;
}

/** Members of a page who stand side by side: from `start` to the owner at `end`, in bytes of `owners`. */
export interface MemberRun {
  rows: MemberRows;
  start: MemberPosition;
  end: number;
}

const START: MemberPosition = { owner: 0, identity: 0, attribute: 0 };

/**
 * Walks through a page, member by member. Between {@link next} and the next one, `identities` and `attributes` stand at
 * the first row that is the member's, if it has one, and whoever reads the member's rows moves them on.
 */
export class MemberCursor {
  /** Where the member's mpid stands, and its two halves, the lower one moved: see {@link movedHalf}. */
  owner: number;
  high = 0;
  low = 0;
  readonly identities: RowCursor;
  readonly attributes: RowCursor;
  private readonly view: DataView;
  #next: number;

  constructor(
    readonly rows: MemberRows,
    start: MemberPosition = START,
  ) {
    this.view = viewOf(rows.owners);
    this.owner = start.owner;
    this.#next = start.owner;
    this.identities = new RowCursor(rows.identities, start.identity, true, rows.placeOf);
    this.attributes = new RowCursor(rows.attributes, start.attribute, false);
  }

  /** Goes to the next member; false where there is none before `end` (in bytes of `owners`). */
  next(end = this.rows.owners.length): boolean {
    const at = this.#next;
    if (at >= end) {
      if (at === this.rows.owners.length && at > 0) this.expectNobodyLeft();
      return false;
    }
    const low = movedHalf(this.view.getInt32(at, true));
    const high = this.view.getInt32(at + 4, true);
    if (at !== this.owner && !isBefore(this.high, this.low, high, low)) throw outOfOrder();
    this.pass(this.identities, high, low);
    this.pass(this.attributes, high, low);
    this.owner = at;
    this.high = high;
    this.low = low;
    this.#next = at + MPID_BYTES;
    return true;
  }

  /**
   * Goes on by up to `most` members, as long as each has an identity and no attributes are read; the number of members that
   * it went on by. It stops early where a value is empty or long. As so many calls of {@link next}, of which nobody reads a
   * row: in half their time, because all is held in variables.
   */
  nextOwning(most: number): number {
    const { identities, rows, view } = this;
    if (!this.attributes.done || this.#next === this.owner) return 0;
    const { owners, identities: bytes } = rows;
    const { view: rowsView } = identities;
    const end = Math.min(owners.length, this.#next + most * MPID_BYTES);
    let { high: rowHigh, low: rowLow, at: row, to } = identities;
    let { owner, high, low } = this;
    let passed = row;
    for (let at = this.#next; at < end; at += MPID_BYTES) {
      const nextLow = movedHalf(view.getInt32(at, true));
      const nextHigh = view.getInt32(at + 4, true);
      while (isBefore(rowHigh, rowLow, nextHigh, nextLow)) {
        if (isBefore(rowHigh, rowLow, high, low)) throw outOfOrder();
        row = to;
        const length = bytes[row + LENGTH_AT] ?? MORE;
        // At the end, or not plain: the slow way goes on from here.
        if (length === 0 || length >= MORE) break;
        rowLow = movedHalf(rowsView.getInt32(row, true));
        rowHigh = rowsView.getInt32(row + 4, true);
        to = row + LENGTH_AT + 1 + length;
      }
      if (rowHigh !== nextHigh || rowLow !== nextLow || !isBefore(high, low, nextHigh, nextLow)) break;
      passed = row;
      owner = at;
      high = nextHigh;
      low = nextLow;
    }
    const count = (owner - this.owner) / MPID_BYTES;
    if (count === 0) return 0;
    identities.goTo(passed);
    this.owner = owner;
    this.high = high;
    this.low = low;
    this.#next = owner + MPID_BYTES;
    return count;
  }

  get mpid(): string {
    return mpidAt(this.rows.owners, this.owner);
  }

  /** True while the cursor stands at a row of this member. */
  owns(cursor: RowCursor): boolean {
    return !cursor.done && cursor.low === this.low && cursor.high === this.high;
  }

  /** Where this member begins. Only before its rows are read. */
  get position(): MemberPosition {
    return { owner: this.owner, identity: this.identities.at, attribute: this.attributes.at };
  }

  /** Passes by the rows of people who are no owners, up to those of the next owner. */
  private pass(cursor: RowCursor, high: number, low: number): void {
    while (!cursor.done && isBefore(cursor.high, cursor.low, high, low)) {
      this.expectBehind(cursor);
      cursor.next();
    }
  }

  /** Rows that come too late would be lost without a word. */
  private expectBehind({ high, low }: RowCursor): void {
    if (this.#next === this.owner) return;
    if (isBefore(high, low, this.high, this.low)) throw outOfOrder();
  }

  private expectNobodyLeft(): void {
    for (const cursor of [this.identities, this.attributes])
      for (; !cursor.done; cursor.next()) this.expectBehind(cursor);
  }
}

function isBefore(high: number, low: number, otherHigh: number, otherLow: number): boolean {
  return high < otherHigh || (high === otherHigh && low < otherLow);
}

function outOfOrder(): Error {
  return new Error(
    'The engine handed out members or their identities in another order than it was asked for. This is a mistake of ' +
      'the hub: report it with the version of the engine.',
  );
}
