import { createHmac } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { isConnectorError } from '../../src/kit/index.js';
import { describeInput } from '../../src/kit/testing/index.js';
import { authenticate } from './authenticate.js';
import { l2Universe } from './index.js';
import { parseUniverseName } from './universe-name.js';

const NOW = new Date('2026-03-04T05:06:07Z');
const SECONDS = NOW.getTime() / 1000;
const SECRETS = { signingSecret: 'signing-secret-012345', bearerSecret: 'bearer-secret-0123456' };

/** The code of what `call` throws; undefined where it returns. */
function codeOf(call: () => unknown): string | undefined {
  try {
    call();
    return undefined;
  } catch (error) {
    return isConnectorError(error) ? error.code : 'not a fault';
  }
}

function sign(body: string, seconds = SECONDS, secret = SECRETS.signingSecret): Record<string, string> {
  const digest = createHmac('sha256', secret).update(`${seconds}.${body}`).digest('hex');
  return { 'x-hub-signature': `t=${seconds},v1=${digest}` };
}

/** Reads the body in two pieces and returns the code of its refusal. */
function verify(headers: Record<string, string>, body: string): string | undefined {
  return codeOf(() => {
    const { verifier } = authenticate(SECRETS, { headers, query: {} }, NOW);
    verifier?.update(Buffer.from(body.slice(0, 3)));
    verifier?.update(Buffer.from(body.slice(3)));
    verifier?.end();
  });
}

describe('the name of a universe', () => {
  it('gives back account and segment, whatever the segment holds', () => {
    const account = fc.stringMatching(/^[A-Za-z0-9-]{1,20}$/);
    const segment = fc.stringMatching(/^[\p{L}\p{N}_ .&'-]{1,60}$/u).filter((text) => text.trim() === text);
    fc.assert(
      fc.property(account, segment, (accountId, text) => {
        expect(parseUniverseName(`IQM_${accountId}_${text}`, 'IQM')).toEqual({ accountId, segment: text });
      }),
    );
  });

  it('may have another prefix', () => {
    expect(parseUniverseName('ACME_1_A_b_', 'Acme')).toEqual({ accountId: '1', segment: 'A_b_' });
    expect(codeOf(() => parseUniverseName('IQM_1_A', 'ACME'))).toBe('UNIVERSE_NAME_MALFORMED');
  });
});

describe('a signature', () => {
  it.each([0, -299, 299])('is taken %s seconds off', (offSeconds) => {
    expect(verify(sign('body', SECONDS + offSeconds), 'body')).toBeUndefined();
  });

  it.each([-301, 301])('is too old or too new %s seconds off', (offSeconds) => {
    expect(verify(sign('body', SECONDS + offSeconds), 'body')).toBe('SIGNATURE_OLD');
  });

  it('of any other body, time or secret is wrong', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (body, other) => {
        fc.pre(Buffer.from(body).compare(Buffer.from(other)) !== 0);
        expect(verify(sign(body), other)).toBe('SIGNATURE_WRONG');
      }),
    );
    const moved = sign('body')['x-hub-signature']?.replace(`t=${SECONDS}`, `t=${SECONDS + 1}`) ?? '';
    expect(verify({ 'x-hub-signature': moved }, 'body')).toBe('SIGNATURE_WRONG');
    expect(verify(sign('body', SECONDS, 'another-secret'), 'body')).toBe('SIGNATURE_WRONG');
  });

  it('is never taken where the input has no signing secret', () => {
    const headers = sign('body', SECONDS, '');
    expect(codeOf(() => authenticate({}, { headers, query: {} }, NOW))).toBe('SIGNATURE_WRONG');
  });

  it('names the request, so that a repeated one is known', () => {
    const idOf = (headers: Record<string, string>) =>
      authenticate(SECRETS, { headers, query: {} }, NOW).requestId;
    expect(idOf(sign('body'))).toBe(idOf(sign('body')));
    expect(idOf(sign('body'))).not.toBe(idOf(sign('other')));
    expect(idOf({ ...sign('body'), 'idempotency-key': 'k' })).toBe(
      idOf({ ...sign('other'), 'idempotency-key': 'k' }),
    );
  });
});

describe('a bearer secret', () => {
  const codeFor = (authorization: string, credentials: object = SECRETS) =>
    codeOf(() => authenticate(credentials, { headers: { authorization }, query: {} }, NOW));

  it('is compared whole', () => {
    expect(codeFor(`Bearer ${SECRETS.bearerSecret}`)).toBeUndefined();
    expect(codeFor(`Bearer ${SECRETS.bearerSecret}x`)).toBe('SECRET_WRONG');
    expect(codeFor(`Bearer ${SECRETS.bearerSecret.slice(0, -1)}`)).toBe('SECRET_WRONG');
    expect(codeFor('Basic abc')).toBe('SECRET_WRONG');
  });

  it('is never taken where the input has none', () => {
    expect(codeFor('Bearer undefined', {})).toBe('SECRET_WRONG');
    expect(codeOf(() => authenticate({}, { headers: {}, query: {} }, NOW))).toBe('SIGNATURE_MISSING');
  });
});

describeInput(l2Universe, {
  settings: {},
  credentials: (canary) => ({ signingSecret: `${canary}-signs`, bearerSecret: `${canary}-is-sent` }),
  webhook: {
    sign({ signingSecret = '' }, body, at) {
      const seconds = Math.floor(at.getTime() / 1000);
      const hmac = createHmac('sha256', signingSecret).update(`${seconds}.`).update(body);
      return { 'x-hub-signature': `t=${seconds},v1=${hmac.digest('hex')}` };
    },
    bearer: ({ bearerSecret = '' }) => ({ authorization: `Bearer ${bearerSecret}` }),
    requestOf: (name) => ({ fields: { name: `IQM_123456_${name}` } }),
    refused: [
      { title: 'no name', request: {} },
      { title: 'another prefix', request: { fields: { name: 'L2_123456_Spring' } } },
      { title: 'no segment', request: { fields: { name: 'IQM_123456_' } } },
      { title: 'no rows', request: { fields: { name: 'IQM_123456_Spring' }, content: 'none' } },
    ],
  },
});
