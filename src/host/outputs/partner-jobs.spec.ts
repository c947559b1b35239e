import { afterEach, describe, expect, it } from '@jest/globals';
import {
  DONE,
  members,
  PACING,
  partner,
  PENDING,
  REQUEST,
  SHIPMENT,
  stopPartners,
} from '../../../test/support/partner-line.js';
import { fault, type BatchResult } from '../../kit/index.js';
import { silentLogger } from '../../platform/log/index.js';
import { MemberList, PartnerCalls, sendBatch, StillWaiting, type KeptJob } from './index.js';

afterEach(stopPartners);

/** Sends a batch to a partner that answers with jobs, and notes what is written down of them. */
function jobsOf({
  kept,
  add = () => PENDING,
  poll,
}: {
  kept?: KeptJob;
  add?: () => BatchResult;
  poll: () => BatchResult;
}) {
  const notes: string[] = [];
  const rig = partner(
    () => {
      notes.push('given');
      return add();
    },
    async () => {
      notes.push('asked');
      return poll();
    },
  );
  const jobs = {
    find: async () => kept,
    keep: async (_: string, jobId: string, count: number) => void notes.push(`keep ${jobId} of ${count}`),
    answered: async () => void notes.push('answered'),
    forget: async () => void notes.push('forget'),
  };
  const observe = (result: string) => void notes.push(`observed ${result}`);
  const calls = new PartnerCalls(rig.calls.line, rig.stop.signal, silentLogger(), {
    pacing: PACING,
    observe,
    jobs,
  });
  return { notes, calls, send: () => sendBatch(calls, SHIPMENT, MemberList.of(members(2))) };
}

describe('a job of a partner', () => {
  it('is written down before it is asked for, once, and again where it goes on as another', async () => {
    const answers: BatchResult[] = [PENDING, { ...PENDING, jobId: 'job-2' }, DONE];
    const { notes, send } = jobsOf({ poll: () => answers.shift() ?? DONE });
    await send();
    expect(notes).toEqual([
      'given',
      'keep job-1 of 2',
      'asked',
      'asked',
      'keep job-2 of 2',
      'asked',
      'answered',
      'observed done',
    ]);
  });

  it('that was written down is asked for, and the batch not given again', async () => {
    const { notes, calls, send } = jobsOf({ kept: { jobId: 'job-1', ageMs: 5 }, poll: () => DONE });
    await send();
    expect(notes).toEqual(['asked', 'answered', 'observed done']);
    expect(calls.reached).toBe(false);
  });

  it('is nothing to write down where the batch is done at once', async () => {
    const { notes, calls, send } = jobsOf({ add: () => DONE, poll: () => DONE });
    await send();
    expect(notes).toEqual(['given', 'observed done']);
    expect(calls.reached).toBe(true);
  });

  it('that came to nothing is forgotten, and says why', async () => {
    const because = fault.retryable('JOB_LOST', 'Give it again.');
    const { notes, send } = jobsOf({ poll: () => ({ status: 'again', because }) });
    await expect(send()).rejects.toMatchObject({ kind: 'retryable', code: 'JOB_LOST' });
    expect(notes).toEqual(['given', 'keep job-1 of 2', 'asked', 'forget', 'observed retryable']);
  });

  it.each([
    ['refused is over', fault.permanent('REFUSED', 'No.'), ['asked', 'answered', 'observed permanent']],
    [
      'not to be asked for now is not over',
      fault.retryable('BUSY', 'Later.'),
      ['asked', 'observed retryable'],
    ],
  ])('that is %s', async (_, error, told) => {
    const { notes, calls } = jobsOf({
      kept: { jobId: 'job-1', ageMs: 5 },
      poll: () => {
        throw error;
      },
    });
    const asked = calls.callBatch({ id: 'batch-1', size: 2 }, async () => DONE);
    await expect(asked).rejects.toMatchObject({ code: error.code });
    expect(notes).toEqual(told);
  });

  it('that takes longer than a worker waits makes room, and says when to come again', async () => {
    const { notes, send } = jobsOf({ add: () => ({ ...PENDING, pollAfterMs: 6 }), poll: () => DONE });
    await expect(send()).rejects.toMatchObject({ name: 'StillWaiting', waitMs: 6 });
    expect(notes).toEqual(['given', 'keep job-1 of 2']);
    const endless = jobsOf({ kept: { jobId: 'job-1', ageMs: 59_999 }, poll: () => PENDING });
    await expect(endless.send()).rejects.toThrow(StillWaiting);
  });

  it('that should be done by now is a failure', async () => {
    const { notes, send } = jobsOf({ kept: { jobId: 'job-1', ageMs: 60_000 }, poll: () => PENDING });
    await expect(send()).rejects.toMatchObject({ kind: 'retryable', code: 'STILL_PENDING' });
    expect(notes.at(-1)).toBe('observed retryable');
  });
});

describe('a batch that failed', () => {
  const auth = fault.auth('TOKEN_REVOKED', 'Reconnect.');
  it.each([
    ['TOKEN_REVOKED of its only request', false, auth, 1],
    ['HTTP_429 of its only request', false, fault.rateLimited('HTTP_429', 'Slower.', 5), 1],
    ['CONNECTION_REFUSED', false, fault.retryable('CONNECTION_REFUSED', 'Nobody there.'), 1],
    ['DNS_FAILED', false, fault.retryable('DNS_FAILED', 'Nobody there.'), 1],
    ['HTTP_500', true, fault.retryable('HTTP_500', 'Broken.'), 1],
    ['TOKEN_REVOKED of its second request', true, auth, 2],
  ])('with %s may have reached the partner: %j', async (_, reached, error, requests) => {
    const { calls } = partner(async (__, ___, http) => {
      for (let request = 0; request < requests; request += 1) await http.request(REQUEST);
      throw error;
    });
    await expect(sendBatch(calls, SHIPMENT, MemberList.of(members(1)))).rejects.toMatchObject({
      code: error.code,
    });
    expect(calls.reached).toBe(reached);
  });
});
