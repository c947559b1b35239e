import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Sampler } from './sampler.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sampler-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const recordOf = (text: string) => ({
  bytes: Buffer.from(text),
  ends: Int32Array.of(Buffer.byteLength(text)),
  count: 1,
});

async function draw(size: number, offered: number) {
  const sampler = new Sampler(size);
  // One buffer for all, as the scanner has it: what was drawn must not change with it.
  const shared = { bytes: Buffer.alloc(16), ends: new Int32Array(4), count: 1 };
  for (let n = 0; n < offered; n += 1) {
    shared.ends[0] = shared.bytes.write(String(n));
    sampler.offer(shared);
  }
  const path = join(folder, 'sample');
  const result = sampler.writeTo(path);
  const rows = (await readFile(path, 'utf8')).split('\n').slice(0, -1).map(Number);
  return { result, rows };
}

describe('a sample of a file', () => {
  it('is the file where that is no larger', async () => {
    const { result, rows } = await draw(10, 10);
    expect(result).toEqual({ rows: 10, isWhole: true });
    expect(rows).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  });

  it('has each record at most once, from all over the file, and the same ones every time', async () => {
    const { result, rows } = await draw(1000, 100_000);
    expect(result).toEqual({ rows: 1000, isWhole: false });
    expect(new Set(rows).size).toBe(1000);
    for (let tenth = 0; tenth < 10; tenth += 1) {
      const from = rows.filter((row) => Math.floor(row / 10_000) === tenth).length;
      // 100 are expected; four standard deviations are 38.
      expect(Math.abs(from - 100)).toBeLessThan(38);
    }
    expect((await draw(1000, 100_000)).rows).toEqual(rows);
  });

  it('passes very long records over, and is not the whole file then', async () => {
    const sampler = new Sampler(10);
    sampler.offer(recordOf('short'));
    sampler.offer(recordOf('x'.repeat(5000)));
    const path = join(folder, 'long');
    expect(sampler.writeTo(path)).toEqual({ rows: 1, isWhole: false });
    expect(await readFile(path, 'utf8')).toBe('short\n');
  });
});
