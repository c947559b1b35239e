import { afterEach, describe, expect, it } from '@jest/globals';
import { googleCustomerMatch as google } from './index.js';
import {
  batchOf,
  listIn,
  look,
  member,
  START_MS,
  startGoogle,
  stopServers,
  uploaded,
} from './testing/google-rig.js';

const HALF_AN_HOUR_MS = 1_800_000;

afterEach(stopServers);

describe('an upload to Google', () => {
  it('asks for an upload after half an hour, then less and less often, within an hour', async () => {
    const { ctx } = await startGoogle({ looks: 9 });
    const taken = await google.audience.add(ctx, await listIn(ctx), batchOf([member(0)]));
    expect(taken).toMatchObject({ status: 'pending', pollAfterMs: HALF_AN_HOUR_MS });
    const pauses = [];
    for (const minutes of [10, 30, 45, 300]) {
      const later = { ...ctx, now: () => new Date(START_MS + minutes * 60_000) };
      const answer = await look(later, taken);
      pauses.push(answer.status === 'pending' ? answer.pollAfterMs / 60_000 : undefined);
    }
    expect(pauses).toEqual([20, 15, 22.5, 60]);
  });

  it('counts whom Google did not take by its reasons, and names nobody that it does not name', async () => {
    const reasons = { PROCESSING_ERROR_REASON_INVALID_FORMAT: 2, PROCESSING_ERROR_REASON_DENIED_CONSENT: 1 };
    const warnings = { PROCESSING_WARNING_REASON_INTERNAL_ERROR: 3 };
    const partial = await uploaded(() => ({ status: 'PARTIAL_SUCCESS', reasons, warnings }), 5);
    expect(partial).toEqual({
      status: 'done',
      rejected: [],
      unnamed: [
        { count: 2, code: 'INVALID_FORMAT', message: expect.any(String) },
        { count: 1, code: 'DENIED_CONSENT', message: expect.stringContaining('denies') },
      ],
    });
    // More reasons than members, none at all, and words that are none of Google's.
    const tooMany = { PROCESSING_ERROR_REASON_INVALID_FORMAT: 9 };
    expect(await uploaded(() => ({ status: 'PARTIAL_SUCCESS', reasons: tooMany }), 5)).toMatchObject({
      unnamed: [{ count: 5, code: 'INVALID_FORMAT' }],
    });
    expect(await uploaded(() => ({ status: 'PARTIAL_SUCCESS' }), 5)).toMatchObject({
      unnamed: [{ count: 1, code: 'UNSPECIFIED' }],
    });
    const strange = { 'ann@example.com': 2 };
    expect(await uploaded(() => ({ status: 'PARTIAL_SUCCESS', reasons: strange }), 5)).toMatchObject({
      unnamed: [{ count: 2, code: 'UNSPECIFIED' }],
    });
    const some = { PROCESSING_ERROR_REASON_INVALID_FORMAT: 2 };
    expect(await uploaded(() => ({ status: 'FAILED', reasons: some }), 5)).toMatchObject({
      unnamed: [
        { count: 2, code: 'INVALID_FORMAT' },
        { count: 3, code: 'UNSPECIFIED' },
      ],
    });
  });

  it('has an upload given anew that failed for want of consent, or by Google’s own fault', async () => {
    const consent = { PROCESSING_ERROR_REASON_DENIED_CONSENT: 5 };
    expect(await uploaded(() => ({ status: 'FAILED', reasons: consent }), 5)).toMatchObject({
      status: 'again',
      because: { kind: 'config', code: 'CONSENT_MISSING' },
    });
    const internal = { PROCESSING_ERROR_REASON_INTERNAL_ERROR: 5 };
    for (const reasons of [internal, undefined]) {
      const outcome = reasons === undefined ? {} : { reasons };
      expect(await uploaded(() => ({ status: 'FAILED', ...outcome }), 5)).toMatchObject({
        status: 'again',
        because: { kind: 'retryable', code: 'GOOGLE_FAILED' },
      });
    }
  });

  it('waits for an upload that Google does not know yet, and gives one anew that it has forgotten', async () => {
    const { partner, ctx } = await startGoogle();
    const taken = await google.audience.add(ctx, await listIn(ctx), batchOf([member(0)]));
    partner.uploads.length = 0;
    await expect(look(ctx, taken)).resolves.toMatchObject({ status: 'pending' });
    const later = { ...ctx, now: () => new Date(START_MS + 2 * 3_600_000) };
    await expect(look(later, taken)).resolves.toMatchObject({
      status: 'again',
      because: { code: 'GOOGLE_FAILED' },
    });
  });
});
