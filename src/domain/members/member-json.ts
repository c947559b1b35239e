import { JsonPiece, type JsonText } from '../../kit/index.js';
import { MemberCursor, type MemberPosition } from './member-cursor.js';
import { movedHalf, type MemberRows } from './member-rows.js';
import { MemberValues } from './member-values.js';

/** Members of a page who stand side by side: from `start` to the owner at `end`, in bytes of `owners`. */
export interface MemberRun {
  rows: MemberRows;
  start: MemberPosition;
  end: number;
}

const [OPEN, NEXT, CLOSE] = [
  new JsonPiece('{"mpid":"'),
  new JsonPiece(']}},{"mpid":"'),
  new JsonPiece(']}}'),
];
const [ATTRIBUTES, IDENTITIES] = ['","attributes":{', '","identities":{'];
const [COMMA, OPENING, CLOSING] = [new JsonPiece(','), new JsonPiece('['), new JsonPiece(']')];

/** One at a time is written, from its beginning to its end. */
const values = new MemberValues();

/**
 * Adds the JSON array of those members of the runs who have an identity: each the `OutputMember` of the kit.
 *
 * Written here and not by the engine, because a loop over bytes costs a tenth of string functions over columns; nothing
 * becomes a string or an object on the way.
 */
export function addMembers(text: JsonText, runs: readonly MemberRun[]): void {
  text.add(OPENING);
  let opening = OPEN;
  for (const { rows, start, end } of runs) {
    const heads = headsOf(rows);
    const cursor = new MemberCursor(rows, start);
    while (cursor.next(end)) {
      if (!cursor.owns(cursor.identities)) continue;
      text.add(opening);
      opening = NEXT;
      addMember(text, cursor, heads);
    }
  }
  if (opening === NEXT) text.add(CLOSE);
  text.add(CLOSING);
}

/** What stands in front of the values of a place, or of an attribute. */
interface Heads {
  /** Behind the mpid, behind attributes, and behind the values of another type. */
  first: readonly JsonPiece[];
  behindAttributes: readonly JsonPiece[];
  behindType: readonly JsonPiece[];
  firstName: readonly JsonPiece[];
  nextName: readonly JsonPiece[];
}

/** Made once a page. */
const known = new WeakMap<MemberRows, Heads>();

function headsOf(rows: MemberRows): Heads {
  const found = known.get(rows) ?? newHeads(rows);
  known.set(rows, found);
  return found;
}

function newHeads({ types, names }: MemberRows): Heads {
  const heads = (front: string) => types.map((type) => new JsonPiece(`${front}${JSON.stringify(type)}:[`));
  const named = (front: string) => names.map((name) => new JsonPiece(`${front}${JSON.stringify(name)}:`));
  return {
    first: heads(IDENTITIES),
    behindAttributes: heads(`}${IDENTITIES.slice(1)}`),
    behindType: heads('],'),
    firstName: named(ATTRIBUTES),
    nextName: named(','),
  };
}

/** All but what opens and closes a member. */
function addMember(text: JsonText, cursor: MemberCursor, heads: Heads): void {
  text.addInteger(cursor.high, movedHalf(cursor.low));
  const hasAttributes = cursor.owns(cursor.attributes);
  if (hasAttributes) addAttributes(text, cursor, heads);
  values.readFrom(cursor);
  const { types, identities } = cursor.rows;
  let front = hasAttributes ? heads.behindAttributes : heads.first;
  let before: string | undefined;
  for (let one = 0; one < values.count; one += 1) {
    const place = values.places[one] ?? 0;
    const type = types[place];
    text.add(type === before ? COMMA : (front[place] ?? COMMA));
    front = heads.behindType;
    before = type;
    addValue(text, identities, values, one);
  }
}

/** Adds one of a member's values as a JSON string. */
export function addValue(text: JsonText, identities: Buffer, values: MemberValues, one: number): void {
  const digest = values.digests[one] ?? 0;
  const from = values.froms[one] ?? 0;
  const to = values.tos[one] ?? 0;
  if (digest === 0) text.addString(identities, from, to);
  else text.addDigests(identities, from, to, digest);
}

function addAttributes(text: JsonText, cursor: MemberCursor, { firstName, nextName }: Heads): void {
  const { attributes } = cursor;
  let front = firstName;
  for (; cursor.owns(attributes); attributes.next()) {
    text.add(front[attributes.place] ?? COMMA);
    front = nextName;
    text.addString(cursor.rows.attributes, attributes.from, attributes.to);
  }
}
