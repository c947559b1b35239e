import { describe, expect, it } from '@jest/globals';
import { int64, row } from '../../../test/support/member-rows.js';
import { JsonText, type MemberView } from '../../kit/index.js';
import { visitMembers, type MemberRows } from './index.js';

const [ONE, OTHER] = [Buffer.alloc(16, 0xab), Buffer.alloc(16, 0xcd)];

describe('a visited member', () => {
  it('writes each value of a type, whole and part by part', () => {
    const rows: MemberRows = {
      owners: int64('7'),
      identities: Buffer.concat([
        row('7', 0, 'first'),
        row('7', 1, 'a|b'),
        row('7', 1, 'c'),
        row('7', 2, Buffer.concat([Buffer.of(16), ONE, OTHER])),
      ]),
      attributes: Buffer.alloc(0),
      types: ['email', 'first_last_zip_state', 'phone'],
      packed: [false, false, true],
      names: [],
    };
    const seen: string[][] = [];
    const see = (member: MemberView) => {
      for (const type of ['email', 'first_last_zip_state', 'phone', 'npi'] as const) {
        for (let nth = 0; nth < member.count(type); nth += 1) {
          const [text, parts] = [new JsonText(), new JsonText()];
          member.write(text, type, nth);
          member.writeParts(parts, type, nth);
          seen.push([text.take().toString(), parts.take().toString()]);
        }
      }
    };
    const run = { rows, start: { owner: 0, identity: 0, attribute: 0 }, end: rows.owners.length };
    expect(visitMembers(run, 0, see).next()).toEqual({ done: true, value: 1 });
    const [one, other] = ['ab'.repeat(16), 'cd'.repeat(16)];
    expect(seen).toEqual([
      ['"first"', '"first"'],
      ['"a|b"', '"a","b"'],
      ['"c"', '"c"'],
      [`"${one}|${other}"`, `"${one}","${other}"`],
    ]);
  });
});
