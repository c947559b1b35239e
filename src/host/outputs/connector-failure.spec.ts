import { describe, expect, it } from '@jest/globals';
import { fault } from '../../kit/index.js';
import { asConnectorError, redact } from './index.js';

describe('what a connector says', () => {
  it('is kept but for secrets, as they are and as they stand in addresses', () => {
    expect(redact('a b/1 and a%20b%2F1, not ab1', ['a b/1'])).toBe('[redacted] and [redacted], not ab1');
  });

  it('keeps secrets of three characters, which stand in too many words', () => {
    expect(redact('key keys', ['key'])).toBe('key keys');
    expect(redact('key keys', ['keys'])).toBe('key [redacted]');
  });

  it('leaves no rest of a secret that begins with another one', () => {
    for (const secrets of [
      ['token', 'token-and-more'],
      ['token-and-more', 'token'],
    ]) {
      expect(redact('token-and-more, token', secrets)).toBe('[redacted], [redacted]');
    }
  });

  it('is cut to a thousand characters, secrets taken out before', () => {
    expect(redact('x'.repeat(1000), [])).toBe('x'.repeat(1000));
    expect(redact('x'.repeat(1001), [])).toBe(`${'x'.repeat(999)}…`);
    expect(redact('secret'.repeat(200), ['secret'])).toBe(`${'[redacted]'.repeat(100).slice(0, 999)}…`);
  });
});

describe('what escapes from a connector', () => {
  it('keeps its kind, code and pause', () => {
    const thrown = fault.rateLimited('SLOW', 'Wait for secret.', 7000);
    expect(asConnectorError(thrown, 'spec', ['secret'])).toMatchObject({
      kind: 'rate_limited',
      code: 'SLOW',
      message: 'Wait for [redacted].',
      retryAfterMs: 7000,
    });
  });

  it.each([
    ['TypeError', new TypeError('ann@example.com')],
    ['string', 'ann@example.com'],
    ['undefined', undefined],
  ])('is named by its kind only, and kept for the log, where it is a %s', (name, thrown) => {
    const error = asConnectorError(thrown, 'spec', []);
    expect(error).toMatchObject({ kind: 'unexpected', code: 'UNEXPECTED', cause: thrown });
    expect(error.message).toContain(`The plugin spec failed in a way it does not name (${name}).`);
    expect(error.message).not.toContain('ann@');
  });
});
