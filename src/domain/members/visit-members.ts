import { addParts, JsonPiece, type IdentityType, type JsonText, type MemberView } from '../../kit/index.js';
import { MemberCursor } from './member-cursor.js';
import { addValue, type MemberRun } from './member-json.js';
import type { MemberRows } from './member-rows.js';
import { MemberValues } from './member-values.js';

const BETWEEN_PARTS = new JsonPiece('","');

/** The one view of a run, which shows one member after another. */
class RowsView implements MemberView {
  readonly values = new MemberValues();

  constructor(private readonly rows: MemberRows) {}

  count(type: IdentityType): number {
    const { places, count } = this.values;
    let found = 0;
    for (let one = 0; one < count; one += 1) if (this.rows.types[places[one] ?? 0] === type) found += 1;
    return found;
  }

  value(type: IdentityType, nth: number): Uint8Array {
    return this.values.textOf(this.rows.identities, this.firstOf(type) + nth);
  }

  write(text: JsonText, type: IdentityType, nth: number): void {
    addValue(text, this.rows.identities, this.values, this.firstOf(type) + nth);
  }

  writeParts(text: JsonText, type: IdentityType, nth: number): void {
    const one = this.firstOf(type) + nth;
    const { identities } = this.rows;
    const { froms, tos, digests } = this.values;
    const from = froms[one] ?? 0;
    const to = tos[one] ?? 0;
    const digest = digests[one] ?? 0;
    if (digest === 0) addParts(text, identities, from, to);
    else text.addDigests(identities, from, to, digest, BETWEEN_PARTS);
  }

  /** Those of one type stand side by side. */
  private firstOf(type: IdentityType): number {
    const { places, count } = this.values;
    let one = 0;
    while (one < count && this.rows.types[places[one] ?? 0] !== type) one += 1;
    return one;
  }
}

/** Members whose visit takes a millisecond or a few: what may be done in one go. */
const AT_ONCE = 1000;

/**
 * Shows those members of the run who have an identity, and stops after every thousand for whoever calls to let others
 * have their turn.
 *
 * @param first the place of the first one
 * @returns the place behind the last one
 */
export function* visitMembers(
  { rows, start, end }: MemberRun,
  first: number,
  visitor: (member: MemberView, index: number) => void,
): Generator<void, number, void> {
  const view = new RowsView(rows);
  const cursor = new MemberCursor(rows, start);
  let index = first;
  while (cursor.next(end)) {
    if (!cursor.owns(cursor.identities)) continue;
    view.values.readFrom(cursor);
    visitor(view, index);
    index += 1;
    if (index % AT_ONCE === 0) yield;
  }
  return index;
}
