import { describe, expect, it } from '@jest/globals';
import { nextHop, type Hop } from './redirects.js';

const hop = (url: string, method: Hop['method'] = 'POST'): Hop => ({
  url: new URL(url),
  method,
  headers: {
    Authorization: 'Bearer t',
    Cookie: 'c',
    'X-API-Key': 'k',
    'x-hub-signature': 's',
    'x-auth-token': 't',
    'idempotency-key': 'batch-1',
    'Content-Type': 'application/json',
  },
  body: '{}',
});

describe('nextHop', () => {
  it('is undefined for what is no redirect', () => {
    expect(nextHop(hop('https://a.example.com/'), 200, 'https://b.example.com/')).toBeUndefined();
    expect(nextHop(hop('https://a.example.com/'), 304, '/x')).toBeUndefined();
    expect(nextHop(hop('https://a.example.com/'), 302, undefined)).toBeUndefined();
  });

  it.each([
    [301, 'POST', 'GET'],
    [302, 'POST', 'GET'],
    [303, 'PUT', 'GET'],
    [307, 'POST', 'POST'],
    [308, 'PATCH', 'PATCH'],
    [302, 'PUT', 'PUT'],
  ] as const)('after %i turns %s into %s, and a GET has no body', (status, method, expected) => {
    const next = nextHop(hop('https://a.example.com/x', method), status, '/y?z=1');
    expect(next?.url.href).toBe('https://a.example.com/y?z=1');
    expect(next?.method).toBe(expected);
    expect(next?.body).toBe(expected === 'GET' ? undefined : '{}');
    expect(next?.headers['Content-Type']).toBe(expected === 'GET' ? undefined : 'application/json');
  });

  it('keeps secrets on their own origin', () => {
    const kept = nextHop(hop('https://a.example.com/x'), 308, '/y');
    expect(kept?.headers.Authorization).toBe('Bearer t');
    for (const location of ['https://b.example.com/', 'https://a.example.com:8443/', '//b.example.com']) {
      const next = nextHop(hop('https://a.example.com/x'), 308, location);
      expect(Object.keys(next?.headers ?? {})).toEqual(['idempotency-key', 'Content-Type']);
    }
  });

  it('keeps them on the way from http to https of the same host', () => {
    const next = nextHop(hop('http://a.example.com/x'), 308, 'https://a.example.com/x');
    expect(next?.headers.Authorization).toBe('Bearer t');
  });

  it('does not go from https to http, nor to what is no web address', () => {
    expect(() => nextHop(hop('https://a.example.com/'), 308, 'http://a.example.com/')).toThrow(
      expect.objectContaining({ kind: 'config', code: 'REDIRECT_REFUSED' }),
    );
    for (const location of ['file:///etc/passwd', 'http://u:p@b.example.com/', 'http://[']) {
      expect(() => nextHop(hop('http://a.example.com/'), 302, location)).toThrow(
        expect.objectContaining({ kind: 'config', code: 'INVALID_URL' }),
      );
    }
  });
});
