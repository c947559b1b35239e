import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { PagedBytes } from './paged-bytes.js';
import { TextStore } from './text-store.js';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hub-pages-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe('bytes in pages', () => {
  it('are what was appended, wherever and in whatever order they are read', () => {
    const piece = fc.uint8Array({ minLength: 1, maxLength: 40_000 });
    const reads = fc.array(fc.tuple(fc.nat(), fc.nat()), { maxLength: 40 });
    fc.assert(
      fc.property(fc.array(piece, { minLength: 1, maxLength: 12 }), reads, (pieces, places) => {
        const bytes = new PagedBytes(join(folder, 'bytes'), 2);
        try {
          for (const one of pieces) bytes.append(Buffer.from(one));
          const all = Buffer.concat(pieces);
          expect(bytes.length).toBe(all.length);
          for (const [a, b] of places) {
            const start = a % all.length;
            const length = b % (all.length - start + 1);
            const target = Buffer.alloc(length + 1);
            bytes.copyTo(target, 1, start, length);
            expect(target.subarray(1).equals(all.subarray(start, start + length))).toBe(true);
          }
        } finally {
          bytes.close();
        }
      }),
      { numRuns: 60 },
    );
    expect(existsSync(join(folder, 'bytes'))).toBe(false);
  });

  it('may be read while they still grow, and keep no more pages than allowed', () => {
    const bytes = new PagedBytes(join(folder, 'growing'), 2);
    const target = Buffer.alloc(8);
    for (let number = 0; number < 100_000; number++) {
      const record = Buffer.alloc(8);
      record.writeDoubleLE(number);
      bytes.append(record);
      const earlier = Math.floor(number / 3);
      bytes.copyTo(target, 0, earlier * 8, 8);
      if (target.readDoubleLE() !== earlier) throw new Error(`wrong at ${number}`);
    }
    expect(existsSync(join(folder, 'growing'))).toBe(true);
    bytes.close();
    expect(existsSync(join(folder, 'growing'))).toBe(false);
    expect(() => bytes.copyTo(target, 0, 800_000, 1)).toThrow(RangeError);
  });

  it('hold texts by number as CSV fields, though hardly any fit into memory', () => {
    const store = new TextStore(join(folder, 'store'), { text: 2, index: 2 });
    const textOf = (number: number) => (number % 5 === 0 ? `Müller, "${number}"` : `person ${number} 🎉`);
    for (let number = 0; number < 60_000; number++) store.add(textOf(number));
    const read = (number: number) => {
      const found = store.find(number);
      if (found === undefined) return undefined;
      const target = Buffer.alloc(found.length);
      store.copyTo(target, 0, found);
      return target.toString();
    };
    for (let step = 0; step < 2000; step++) {
      const number = (step * 37_199) % 60_000;
      const expected = number % 5 === 0 ? `"Müller, ""${number}"""` : textOf(number);
      expect(read(number)).toBe(expected);
    }
    expect(read(60_000)).toBeUndefined();
    store.close();
  });
});
