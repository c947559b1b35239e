import { describe, expect, it } from '@jest/globals';
import { MemberList } from '../../host/outputs/index.js';
import type { Ledger } from '../ledger/index.js';
import type { Step } from './chunk-reader.js';
import { withoutKept, type Leaving } from './kept-leavers.js';

/** Nothing of these is asked of it: who is kept is left out by the query, and nobody is known by values. */
const NO_LEDGER = {} as Ledger;

const removal = (kept: Leaving['kept']): Leaving => ({
  key: { audienceId: 1, workspace: 1 },
  leavers: { what: 'reached', versions: [2], kept },
  condition: '1',
  version: undefined,
  kept,
  forms: [],
});
const ANOTHER_CONNECTION = [{ audienceId: 2, versions: [1], condition: '1' }];

async function* one(mpids: readonly string[]): AsyncGenerator<Step> {
  const members = MemberList.of(
    mpids.map((mpid) => ({ mpid, identities: { email: [`p${mpid}@example.com`] } })),
  );
  const [firstMpid = '', lastMpid = ''] = [mpids.at(0), mpids.at(-1)];
  yield {
    operation: 'remove',
    chunk: { firstMpid, lastMpid, members, skipped: [] },
    cursorAfter: { operation: 'remove', afterMpid: lastMpid },
    part: 0,
    spent: [],
  };
}

async function nameOf(mpids: readonly string[], kept: Leaving['kept'] = ANOTHER_CONNECTION) {
  const { value } = await withoutKept(one(mpids), NO_LEDGER, removal(kept)).next();
  expect((value as Step).chunk.members.members.map(({ mpid }) => mpid)).toEqual(mpids);
  return (value as Step).without;
}

describe('a batch of a removal from a list that others send to as well', () => {
  it('is another one where others are kept between the same two members', async () => {
    const before = await nameOf(['1', '3', '9']);
    expect(before).toMatch(/^[0-9a-f]{32}$/);
    expect(await nameOf(['1', '5', '9'])).not.toBe(before);
    expect(await nameOf(['1', '9'])).not.toBe(before);
  });

  it('is the same one where it is tried again with the same people', async () => {
    expect(await nameOf(['1', '3', '9'])).toBe(await nameOf(['1', '3', '9']));
  });

  it('goes by its ends alone where nobody else sends to the list', async () => {
    expect(await nameOf(['1', '3', '9'], [])).toBeUndefined();
  });
});
