import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { JsonText } from './index.js';

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
        text.add(Buffer.from('['));
        for (const [index, one] of texts.entries()) {
          const bytes = Buffer.from(one);
          const source = Buffer.concat([Buffer.alloc(before, '"'), bytes, Buffer.from('"\\')]);
          if (index > 0) text.add(Buffer.from(','));
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

  it('puts a text in front, into the room for it or beyond', () => {
    const all = fc.tuple(anyText, anyText, anyText, fc.nat({ max: 40 }));
    fc.assert(
      fc.property(all, ([front, middle, back, room]) => {
        const text = new JsonText(undefined, room);
        text.add(Buffer.from(middle));
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
    const part = Buffer.alloc(100_000, 'x');
    for (let times = 0; times < 10; times += 1) text.add(part);
    const taken = text.take();
    expect(taken.equals(Buffer.alloc(1_000_000, 'x'))).toBe(true);
    expect(back).toEqual(lent.slice(0, -1));
    expect(taken.buffer).toBe(lent.at(-1)?.buffer);
  });
});
