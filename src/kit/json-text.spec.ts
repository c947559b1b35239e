import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { JsonPiece, JsonText } from './index.js';

/** Strings around whose ends and every fourth byte something has to be escaped, or has not. */
const anyText = fc
  .array(
    fc.oneof(
      fc.string({ unit: 'binary', maxLength: 5 }),
      fc.constantFrom(
        'a',
        '~',
        '\u007f',
        ' ',
        '!',
        '"',
        '#',
        '[',
        '\\',
        ']',
        '\u001f',
        '\0',
        '\n',
        'é',
        '漢',
        '👧',
      ),
    ),
    { maxLength: 20 },
  )
  .map((parts) => parts.join(''));

describe('JsonText', () => {
  it('writes strings as JSON, wherever they stand in their source', () => {
    fc.assert(
      fc.property(fc.array(anyText, { maxLength: 5 }), fc.nat({ max: 9 }), (texts, before) => {
        const text = new JsonText();
        text.add(new JsonPiece('['));
        for (const [index, one] of texts.entries()) {
          const bytes = Buffer.from(one);
          const source = Buffer.concat([Buffer.alloc(before, '"'), bytes, Buffer.from('"\\')]);
          if (index > 0) text.add(new JsonPiece(','));
          text.addString(source, before, before + bytes.length);
        }
        expect(JSON.parse(text.take('', ']').toString('utf8'))).toEqual(texts);
      }),
    );
  });

  it('writes plain bytes of every kind and number as they are', () => {
    for (let length = 0; length < 12; length += 1) {
      for (let byte = 0; byte < 128; byte += 1) {
        const written = 'abcdefghijkl'.slice(0, length) + String.fromCharCode(byte);
        const text = new JsonText();
        text.addString(Buffer.from(written), 0, length + 1);
        expect(text.take().toString()).toBe(JSON.stringify(written));
      }
    }
  });

  it('writes digests as their hexadecimal digits, wherever they stand in their source', () => {
    const anyDigests = fc.array(fc.uint8Array({ minLength: 20, maxLength: 20 }), {
      minLength: 1,
      maxLength: 4,
    });
    fc.assert(
      fc.property(anyDigests, fc.nat({ max: 5 }), (digests, before) => {
        const source = Buffer.concat([Buffer.alloc(before, 'x'), ...digests, Buffer.from('x')]);
        const text = new JsonText();
        const to = before + 20 * digests.length;
        text.addDigests(source, before, to, 20);
        text.add(new JsonPiece(','));
        text.addDigests(source, before, to, 20, new JsonPiece('","'));
        const hex = digests.map((digest) => Buffer.from(digest).toString('hex'));
        expect(JSON.parse(text.take('[', ']').toString())).toEqual([hex.join('|'), ...hex]);
      }),
    );
  });

  it('writes every 64-bit integer by its digits', () => {
    const billions = fc.tuple(
      fc.bigInt({ min: -9_223_372_036n, max: 9_223_372_036n }),
      fc.constantFrom(-1n, 0n, 1n),
    );
    const anyInteger = fc.oneof(
      fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
      // Where a quotient of doubles may be one off.
      billions.map(([times, beside]) => times * 1_000_000_000n + beside),
      fc.constantFrom(-(2n ** 63n), 2n ** 63n - 1n, 0n, 9_999n, 10_000n, -(2n ** 32n)),
    );
    fc.assert(
      fc.property(anyInteger, (integer) => {
        const bytes = Buffer.alloc(8);
        bytes.writeBigInt64LE(integer);
        const text = new JsonText();
        text.addInteger(bytes.readInt32LE(4), bytes.readUInt32LE(0));
        expect(text.take().toString()).toBe(String(integer));
      }),
      { numRuns: 2000 },
    );
  });

  it('puts a text in front, into the room for it or beyond', () => {
    const all = fc.tuple(anyText, anyText, anyText, fc.nat({ max: 40 }));
    fc.assert(
      fc.property(all, ([front, middle, back, room]) => {
        const text = new JsonText(undefined, room);
        text.add(new JsonPiece(middle));
        expect(text.take(front, back).toString('utf8')).toBe(
          Buffer.from(front + middle + back).toString('utf8'),
        );
      }),
    );
  });

  it('gives memory back that has become too small, and writes on in other memory', () => {
    const lent: Uint8Array[] = [];
    const back: Uint8Array[] = [];
    const memory = {
      lend: (bytes: number) => {
        const one = new Uint8Array(bytes).fill(1);
        lent.push(one);
        return one;
      },
      giveBack: (one: Uint8Array) => void back.push(one),
    };
    const text = new JsonText(memory);
    const part = new JsonPiece('x'.repeat(100_000));
    for (let times = 0; times < 10; times += 1) text.add(part);
    const taken = text.take();
    expect(taken.equals(Buffer.alloc(1_000_000, 'x'))).toBe(true);
    expect(back).toEqual(lent.slice(0, -1));
    expect(taken.buffer).toBe(lent.at(-1)?.buffer);
  });
});
