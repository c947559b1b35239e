import type { IdentityType } from './identity-types.js';
import { JsonPiece } from './json-piece.js';
import type { JsonText } from './json-text.js';
import type { OutputMember } from './output.js';

/** A member while a visit stands at it: good until the visitor returns. */
export interface MemberView<I extends IdentityType = IdentityType> {
  /** How many identities it has of a type. */
  count(type: I): number;
  /** One of them, counted from 0, as UTF-8. */
  value(type: I, nth: number): Uint8Array;
  /** Adds one of them to a text as a JSON string. */
  write(text: JsonText, type: I, nth: number): void;
  /** Of a combination: its parts as JSON strings with commas between. */
  writeParts(text: JsonText, type: I, nth: number): void;
}

/** Stands between the parts of a combination; in none of them. */
const SEPARATOR = '|'.charCodeAt(0);
const COMMA = new JsonPiece(',');

/** Adds the parts of a combination that stands from `from` up to `to`. */
export function addParts(text: JsonText, source: Uint8Array, from: number, to: number): void {
  let start = from;
  for (let at = from; at < to; at += 1) {
    if (source[at] !== SEPARATOR) continue;
    text.addString(source, start, at);
    text.add(COMMA);
    start = at + 1;
  }
  text.addString(source, start, to);
}

/** Shows members that are objects already. */
export function visitObjects<I extends IdentityType>(
  members: readonly OutputMember<I>[],
  visitor: (member: MemberView<I>, index: number) => void,
): void {
  for (const [index, { identities }] of members.entries()) {
    const all = identities as { readonly [type: string]: readonly string[] | undefined };
    const value = (type: I, nth: number) => Buffer.from(all[type]?.[nth] ?? '');
    const view: MemberView<I> = {
      count: (type) => all[type]?.length ?? 0,
      value,
      write: (text, type, nth) => {
        const bytes = value(type, nth);
        text.addString(bytes, 0, bytes.length);
      },
      writeParts: (text, type, nth) => {
        const bytes = value(type, nth);
        addParts(text, bytes, 0, bytes.length);
      },
    };
    visitor(view, index);
  }
}
