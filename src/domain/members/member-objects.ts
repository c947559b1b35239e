import type { OutputMember } from '../../kit/index.js';
import { MemberCursor, type MemberRun } from './member-cursor.js';
import { MemberValues } from './member-values.js';

/** Those members of a run who have an identity. */
export function memberObjects({ rows, start, end }: MemberRun): OutputMember[] {
  const members: OutputMember[] = [];
  const values = new MemberValues();
  const cursor = new MemberCursor(rows, start);
  while (cursor.next(end)) {
    if (!cursor.owns(cursor.identities)) continue;
    const attributes = attributesOf(cursor);
    const { mpid } = cursor;
    values.readFrom(cursor);
    const identities = identitiesOf(cursor, values);
    members.push(attributes === undefined ? { mpid, identities } : { mpid, attributes, identities });
  }
  return members;
}

/** Bytes of the values of the member that the cursor stands at. */
export function bytesOf(cursor: MemberCursor, values: MemberValues): number {
  let bytes = 0;
  const { attributes } = cursor;
  for (; cursor.owns(attributes); attributes.next()) bytes += attributes.to - attributes.from;
  values.readFrom(cursor);
  for (let one = 0; one < values.count; one += 1) bytes += values.lengthOf(one);
  return bytes;
}

function attributesOf(cursor: MemberCursor): Record<string, string> | undefined {
  const { attributes, rows } = cursor;
  if (!cursor.owns(attributes)) return undefined;
  const all: [string, string][] = [];
  for (; cursor.owns(attributes); attributes.next()) {
    const { place, from, to } = attributes;
    all.push([rows.names[place] ?? '', rows.attributes.toString('utf8', from, to)]);
  }
  // Also right for a name like __proto__.
  return Object.fromEntries(all);
}

function identitiesOf({ rows }: MemberCursor, values: MemberValues): OutputMember['identities'] {
  const identities: Record<string, string[]> = {};
  for (let one = 0; one < values.count; one += 1) {
    const type = rows.types[values.places[one] ?? 0] ?? '';
    const value = values.textOf(rows.identities, one).toString('utf8');
    const list = identities[type];
    if (list) list.push(value);
    else identities[type] = [value];
  }
  return identities;
}
