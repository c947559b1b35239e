import { afterEach, describe, expect, it } from '@jest/globals';
import { googleCustomerMatch as google } from './index.js';
import { invalid, refusal } from './testing/answers.js';
import { batchOf, listIn, member, startGoogle, stopServers } from './testing/google-rig.js';

afterEach(stopServers);

describe('an error of Google', () => {
  const row = 'audience_members.audience_members[3].user_data.user_identifiers';

  it.each([
    [refusal('UNAUTHENTICATED'), { kind: 'auth', code: 'TOKEN_INVALID' }],
    [refusal('PERMISSION_DENIED', 'SERVICE_DISABLED'), { kind: 'auth', code: 'PERMISSION_DENIED' }],
    [
      refusal('PERMISSION_DENIED', 'ACCESS_TOKEN_SCOPE_INSUFFICIENT'),
      { kind: 'auth', code: 'PERMISSION_DENIED' },
    ],
    [
      refusal('RESOURCE_EXHAUSTED', 'RATE_LIMIT_EXCEEDED', { retryDelay: '12.5s' }),
      { kind: 'rate_limited', code: 'RATE_LIMITED', retryAfterMs: 12_500 },
    ],
    [refusal('RESOURCE_EXHAUSTED'), { kind: 'rate_limited', retryAfterMs: undefined }],
    [refusal('UNAVAILABLE', 'UNAVAILABLE', { retryDelay: '3s' }), { kind: 'retryable', retryAfterMs: 3000 }],
    [refusal('INTERNAL', 'INTERNAL_ERROR'), { kind: 'retryable', code: 'GOOGLE_FAILED' }],
    [refusal('DEADLINE_EXCEEDED'), { kind: 'retryable', code: 'GOOGLE_FAILED' }],
    [refusal('ABORTED'), { kind: 'retryable', code: 'GOOGLE_FAILED' }],
    [invalid({ field: row, reason: 'INVALID_HEX_ENCODING' }), { kind: 'permanent', code: 'INVALID_MEMBER' }],
    [invalid({ field: 'audienceMembers[0]', reason: 'INVALID_SHA256_FORMAT' }), { kind: 'permanent' }],
    [
      invalid(
        { field: row, reason: 'INVALID_POSTAL_CODE' },
        { field: 'encoding', reason: 'INVALID_ENUM_VALUE' },
      ),
      { kind: 'config', code: 'GOOGLE_REFUSED' },
    ],
    [
      invalid({ field: 'audience_members', reason: 'TOO_MANY_AUDIENCE_MEMBERS' }),
      { kind: 'config', code: 'GOOGLE_REFUSED' },
    ],
    [
      invalid({ field: 'terms_of_service', reason: 'TERMS_AND_CONDITIONS_NOT_SIGNED' }),
      { kind: 'config', code: 'TERMS_NOT_ACCEPTED' },
    ],
    [
      refusal('FAILED_PRECONDITION', 'EU_POLITICAL_ADVERTISING_DECLARATION_REQUIRED'),
      { kind: 'config', code: 'DECLARATION_MISSING' },
    ],
    [refusal('PERMISSION_DENIED', 'NOT_ALLOWLISTED'), { kind: 'config', code: 'ACCOUNT_INACTIVE' }],
    [refusal('UNIMPLEMENTED'), { kind: 'config', code: 'GOOGLE_REFUSED' }],
    [
      { status: 400, body: 'no JSON' },
      { kind: 'config', code: 'GOOGLE_REFUSED' },
    ],
  ])('the answer %j is the right fault', async (answer, expected) => {
    const { server, ctx } = await startGoogle();
    const list = await listIn(ctx);
    server.failure = () => ({ ...answer, body: answer.body?.replace('a problem', 'ann@example.com') ?? '' });
    const failed = google.audience.add(ctx, list, batchOf([member(0)]));
    await expect(failed).rejects.toMatchObject(expected);
    await expect(failed).rejects.not.toThrow(/ann@/);
  });

  it('names the reason and the request for Google’s support', async () => {
    const { server, ctx } = await startGoogle();
    server.failure = () => invalid({ field: row, reason: 'INVALID_POSTAL_CODE' });
    await expect(
      google.audience.add(ctx, { externalId: '1', name: 'Spring' }, batchOf([member(0)])),
    ).rejects.toThrow(/\(INVALID_ARGUMENT, INVALID_POSTAL_CODE, request a1b2c3d4e5\)/);
  });
});
