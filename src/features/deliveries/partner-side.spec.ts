import { afterEach, describe, expect, it } from '@jest/globals';
import { refusing, stopPartners } from '../../../test/support/partner-line.js';
import { MemberList } from '../../host/outputs/index.js';
import type { Step } from './chunk-reader.js';
import { PartnerSide } from './partner-side.js';

afterEach(stopPartners);

const RANGE = { fromVersion: 1, toVersion: 2, identities: { after: 0, upTo: 0 }, relinks: 0 };

function stepOf(mpids: readonly string[], skipped: string[] = []): Step {
  const members = MemberList.of(
    mpids.map((mpid) => ({ mpid, identities: { email: [`p${mpid}@example.com`] } })),
  );
  const [firstMpid = '', lastMpid = ''] = [mpids.at(0), mpids.at(-1)];
  return {
    operation: 'add',
    chunk: { firstMpid, lastMpid, members, skipped },
    cursorAfter: { operation: 'add', afterMpid: lastMpid },
    part: 0,
    spent: [],
  };
}

/** The ids that the partner gets, and those that are written down. */
async function idsOf(step: Step): Promise<string[]> {
  const { calls, batches } = refusing(() => false);
  const { batchId } = await new PartnerSide(calls, { externalId: 'list-1', name: 'Buyers' }, RANGE).send(
    step,
  );
  expect(batches.map(({ id }) => id)).toEqual([batchId]);
  return [batchId];
}

describe('a batch as the partner knows it', () => {
  it('is the same one where it is tried again', async () => {
    expect(await idsOf(stepOf(['1', '9'], ['5']))).toEqual(await idsOf(stepOf(['1', '9'], ['5'])));
    expect(await idsOf(stepOf(['1', '9']))).toEqual(await idsOf(stepOf(['1', '9'])));
  });

  it('is another one where somebody is in it who had nothing that the output accepts when it was first tried', async () => {
    expect(await idsOf(stepOf(['1', '5', '9']))).not.toEqual(await idsOf(stepOf(['1', '9'], ['5'])));
    expect(await idsOf(stepOf(['1', '5', '9'], ['7']))).not.toEqual(
      await idsOf(stepOf(['1', '7', '9'], ['5'])),
    );
  });
});
