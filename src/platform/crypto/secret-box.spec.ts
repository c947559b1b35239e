import { randomBytes } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { assert, property, string } from 'fast-check';
import { SealedSecretError, SecretBox } from './index.js';

describe('SecretBox', () => {
  const key = randomBytes(32);
  const box = new SecretBox(key);

  it('opens what it sealed, for the same record only', () => {
    assert(
      property(string({ unit: 'grapheme' }), string(), string(), (plain, id, otherId) => {
        const envelope = box.seal(plain, id);
        expect(new SecretBox(key).open(envelope, id)).toBe(plain);
        if (id !== otherId) expect(() => box.open(envelope, otherId)).toThrow(SealedSecretError);
      }),
    );
  });

  it('refuses an envelope with any byte altered, and a cut one', () => {
    const envelope = box.seal('s3cret', 'output-1');
    const bytes = Buffer.from(envelope.slice(3), 'base64url');
    for (const index of bytes.keys()) {
      const altered = Buffer.from(bytes);
      altered[index] = (altered[index] ?? 0) ^ 1;
      expect(() => box.open(`v1.${altered.toString('base64url')}`, 'output-1')).toThrow(SealedSecretError);
    }
    expect(() => box.open(envelope.slice(0, 20), 'output-1')).toThrow('no v1 envelope');
    expect(() => box.open(envelope.replace('v1', 'v2'), 'output-1')).toThrow('no v1 envelope');
  });

  it('never gives the same envelope twice and never shows the text', () => {
    const first = box.seal('s3cret', 'output-1');
    expect(first).not.toBe(box.seal('s3cret', 'output-1'));
    expect(Buffer.from(first.slice(3), 'base64url').toString('latin1')).not.toContain('s3cret');
  });

  it('says what to do where the key is another one', () => {
    const envelope = box.seal('s3cret', 'output-1');
    expect(() => new SecretBox(randomBytes(32)).open(envelope, 'output-1')).toThrow('HUB_SECRET_KEY');
  });

  it('refuses a key that is not 32 bytes long', () => {
    expect(() => new SecretBox(randomBytes(16))).toThrow('16 bytes, expected 32');
  });
});
