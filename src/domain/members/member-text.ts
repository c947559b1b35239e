/**
 * Members as the engine writes them, so that a batch goes out without anybody parsing it: a text of JSON objects,
 * one a line, ascending by mpid, each the {@link OutputMember} of the kit:
 *
 *     {"mpid":"-42","identities":{"email":["ada@example.com"]}},
 *     {"mpid":"7","identities":{"":[]}},
 *     {"mpid":"9","identities":{"email":["bob@example.com"]
 *
 * Where attributes are shared, those of a member stand in front of its identities:
 *
 *     {"mpid":"7","attributes":{ "Party":"Green","Van ID":"7"},"identities":{"email":["eve@example.com"]
 *
 * with a space in front of the first, so that an attribute called mpid does not look like the {@link MEMBER_OPEN} of
 * a member. A member without any of the wanted identities has the type '' without values. What ends a member is written in
 * front of the next one, so the last one lacks {@link MEMBER_CLOSE}. No newline is inside a member: in JSON it is
 * escaped.
 */
export const MEMBER_OPEN = '{"mpid":"';
/** Between mpid and identities. */
export const MEMBER_MIDDLE = '","identities":{';
/** In front of attributes, behind the mpid and its quotation mark; {@link ATTRIBUTES_CLOSE} is behind them. */
export const ATTRIBUTES_OPEN = ',"attributes":{ ';
export const ATTRIBUTES_CLOSE = '}';
/** In place of identities, where there are none of the wanted ones. */
export const MEMBER_BARE = '"":[';
export const MEMBER_CLOSE = ']}}';
/** Between two members, after {@link MEMBER_CLOSE}. */
export const MEMBER_BETWEEN = ',\n';

const CLOSE = Buffer.from(MEMBER_CLOSE);
const [NEWLINE, QUOTE, OPENING_BRACKET] = [0x0a, 0x22, 0x5b];

/** Walks through such a text, member by member, without making anything of those it passes. */
export class MemberCursor {
  #from = 0;
  /** Behind the member's own text, in front of what separates it from the next one. */
  #to = 0;
  #next = 0;

  constructor(private readonly text: Buffer) {}

  /** Goes to the next member; false where there is none. */
  next(): boolean {
    const { text } = this;
    if (this.#next >= text.length) return false;
    this.#from = this.#next;
    const newline = text.indexOf(NEWLINE, this.#from);
    this.#next = newline === -1 ? text.length : newline + 1;
    this.#to = newline === -1 ? text.length : newline + 1 - MEMBER_BETWEEN.length;
    return true;
  }

  /** Where the member's text begins. */
  get start(): number {
    return this.#from;
  }

  /** Where its text ends. */
  get end(): number {
    return this.#to;
  }

  /** True where it has none of the wanted identities. */
  get isBare(): boolean {
    const lastOfIdentities = this.#next === this.#to ? this.#to - 1 : this.#to - CLOSE.length - 1;
    return this.text[lastOfIdentities] === OPENING_BRACKET;
  }
}

/** The mpid of the member whose text begins at `start`. */
export function mpidAt(text: Buffer, start: number): string {
  const from = start + MEMBER_OPEN.length;
  return text.toString('latin1', from, text.indexOf(QUOTE, from));
}

/** The JSON of the members of `text` between two bounds of members, without what separates the last from the next. */
export function memberPieces(text: Buffer, start: number, end: number): Buffer[] {
  const own = text.subarray(start, end);
  return end === text.length ? [own, CLOSE] : [own];
}
