import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { JsonText } from './index.js';

const anyText = fc.oneof(fc.string({ unit: 'binary', maxLength: 20 }), fc.constantFrom('', 'é', '漢', '👧'));

describe('JsonText', () => {
  it('keeps what was added, as text or as bytes, in its order', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(anyText, fc.boolean())), (parts) => {
        const text = new JsonText();
        for (const [part, isText] of parts) {
          if (isText) text.add(part);
          else text.addBytes(Buffer.from(part));
        }
        const all = parts.map(([part]) => Buffer.from(part));
        expect(text.take().equals(Buffer.concat(all))).toBe(true);
      }),
    );
  });

  it('puts a text in front, into the room for it or beyond', () => {
    const all = fc.tuple(anyText, anyText, anyText, fc.nat({ max: 40 }));
    fc.assert(
      fc.property(all, ([front, middle, back, room]) => {
        const text = new JsonText(undefined, room);
        text.add(middle);
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
    const part = 'x'.repeat(100_000);
    for (let times = 0; times < 10; times += 1) text.add(part);
    const taken = text.take();
    expect(taken.equals(Buffer.alloc(1_000_000, 'x'))).toBe(true);
    expect(back).toEqual(lent.slice(0, -1));
    expect(taken.buffer).toBe(lent.at(-1)?.buffer);
  });
});
