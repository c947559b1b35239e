import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { HubError } from '../../domain/errors/index.js';
import { Measure, measured } from './upload-body.js';

/** Reads all of it, or says why not. */
async function read(chunks: readonly Uint8Array[], limits: { maxBytes: number; declaredBytes?: number }) {
  const measure = new Measure();
  const got: Buffer[] = [];
  try {
    for await (const chunk of measured(Readable.from(chunks), limits, measure)) got.push(chunk);
    return { code: 'whole', body: Buffer.concat(got), measure };
  } catch (error) {
    return { code: error instanceof HubError ? error.code : 'unexpected', body: Buffer.concat(got), measure };
  }
}

const chunksOf = fc.array(fc.uint8Array({ minLength: 1, maxLength: 50 }), { maxLength: 20 });

describe('a body that is received', () => {
  it('comes through as it is, with its size and SHA-256, however it is cut', async () => {
    await fc.assert(
      fc.asyncProperty(chunksOf, async (chunks) => {
        const whole = Buffer.concat(chunks);
        const { code, body, measure } = await read(chunks, {
          maxBytes: whole.length,
          declaredBytes: whole.length,
        });
        expect([code, body.equals(whole), measure.sizeBytes]).toEqual(['whole', true, whole.length]);
        expect(measure.sha256()).toBe(createHash('sha256').update(whole).digest('hex'));
      }),
    );
  });

  it('is refused by the first byte over the limit, and nothing over it comes through', async () => {
    await fc.assert(
      fc.asyncProperty(chunksOf, fc.nat(200), async (chunks, maxBytes) => {
        const sizeBytes = Buffer.concat(chunks).length;
        const { code, body } = await read(chunks, { maxBytes });
        expect(code).toBe(sizeBytes > maxBytes ? 'BODY_TOO_LARGE' : 'whole');
        expect(body.length).toBeLessThanOrEqual(maxBytes);
      }),
    );
  });

  it('is refused before it is read where its size is announced to be over the limit', async () => {
    let read = 0;
    const body = Readable.from(
      (function* endless() {
        for (;;) {
          read += 1;
          yield Buffer.alloc(1024);
        }
      })(),
    );
    const reading = measured(body, { maxBytes: 10, declaredBytes: 11 }, new Measure()).next();
    await expect(reading).rejects.toMatchObject({ code: 'BODY_TOO_LARGE' });
    expect(read).toBe(0);
    expect(body.destroyed).toBe(false);
  });

  it('stops reading an endless body soon after the limit, and leaves it open for an answer', async () => {
    let sent = 0;
    const body = Readable.from(
      (function* endless() {
        for (;;) {
          sent += 65_536;
          yield Buffer.alloc(65_536);
        }
      })(),
      { objectMode: false },
    );
    const consume = async () => {
      for await (const chunk of measured(body, { maxBytes: 2 ** 20 }, new Measure())) void chunk;
    };
    await expect(consume()).rejects.toMatchObject({ code: 'BODY_TOO_LARGE' });
    expect(sent).toBeLessThan(2 ** 21);
    expect(body.destroyed).toBe(false);
    body.destroy();
  });

  it.each([1, 3])('is refused where %s bytes come and 2 were announced', async (sizeBytes) => {
    const { code } = await read([Buffer.alloc(sizeBytes)], { maxBytes: 10, declaredBytes: 2 });
    expect(code).toBe('MALFORMED_BODY');
  });

  it('is refused where the connection ends before it does', async () => {
    const body = Readable.from(
      (async function* cut() {
        yield await Promise.resolve(Buffer.from('Email\n'));
        throw Object.assign(new Error('aborted'), { code: 'ECONNRESET' });
      })(),
    );
    const consume = async () => {
      for await (const chunk of measured(body, { maxBytes: 100 }, new Measure())) void chunk;
    };
    await expect(consume()).rejects.toMatchObject({ code: 'MALFORMED_BODY' });
  });
});
