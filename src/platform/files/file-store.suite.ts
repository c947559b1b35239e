import { randomBytes } from 'node:crypto';
import { buffer, text } from 'node:stream/consumers';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { FileMissingError, InvalidKeyError, type FileStore } from './file-store.js';

/** The promises of {@link FileStore}, against the empty store that `make` opens. */
export function describeFileStore(make: () => Promise<FileStore>): void {
  let store: FileStore;
  beforeEach(async () => {
    store = await make();
  });

  const keys = async (prefix = '') => {
    const found: string[] = [];
    for await (const key of store.list(prefix)) found.push(key);
    return found;
  };

  async function* failingAfter(chunk: string) {
    yield chunk;
    throw new Error('the source broke');
  }

  it('gives back what was put, as text, bytes or a stream', async () => {
    const bytes = randomBytes(300_000);
    expect(await store.put('a/text', 'héllo')).toEqual({ sizeBytes: 6 });
    await store.put('a/bytes', bytes);
    async function* stream() {
      yield 'one,';
      yield Buffer.from('two');
    }
    expect(await store.put('a/stream', stream())).toEqual({ sizeBytes: 7 });
    await store.put('a/empty', '');
    expect(await text(await store.get('a/text'))).toBe('héllo');
    expect((await buffer(await store.get('a/bytes'))).equals(bytes)).toBe(true);
    expect(await text(await store.get('a/stream'))).toBe('one,two');
    expect(await text(await store.get('a/empty'))).toBe('');
  });

  it('takes a stream of more than one upload part', async () => {
    const part = randomBytes(2 ** 20);
    async function* many() {
      for (let index = 0; index < 20; index += 1) yield part;
    }
    expect(await store.put('large', many())).toEqual({ sizeBytes: 20 * 2 ** 20 });
    expect((await store.stat('large'))?.sizeBytes).toBe(20 * 2 ** 20);
    const across = await buffer(await store.get('large', { offsetBytes: 10 * 2 ** 20 - 5, lengthBytes: 10 }));
    expect(across.equals(Buffer.concat([part.subarray(-5), part.subarray(0, 5)]))).toBe(true);
  });

  it('keeps the old file where the new one breaks off', async () => {
    await store.put('a', 'old');
    await expect(store.put('a', failingAfter('new'))).rejects.toThrow('the source broke');
    await expect(store.put('b', failingAfter('new'))).rejects.toThrow('the source broke');
    expect(await text(await store.get('a'))).toBe('old');
    expect(await keys()).toEqual(['a']);
  });

  it('replaces a file whole', async () => {
    await store.put('a', 'a long old text');
    await store.put('a', 'new');
    expect(await text(await store.get('a'))).toBe('new');
  });

  it('reads ranges, to the end, and nothing beyond it', async () => {
    await store.put('a', '0123456789');
    expect(await text(await store.get('a', { offsetBytes: 2, lengthBytes: 3 }))).toBe('234');
    expect(await text(await store.get('a', { offsetBytes: 7 }))).toBe('789');
    expect(await text(await store.get('a', { offsetBytes: 8, lengthBytes: 99 }))).toBe('89');
    expect(await text(await store.get('a', { offsetBytes: 99 }))).toBe('');
    await expect(store.get('a', { offsetBytes: -1 })).rejects.toThrow(RangeError);
    await expect(store.get('a', { offsetBytes: 0, lengthBytes: 0 })).rejects.toThrow(RangeError);
  });

  it('tells size and time, and undefined or an error where there is nothing', async () => {
    await store.put('a/b', '12345');
    const stat = await store.stat('a/b');
    expect(stat?.sizeBytes).toBe(5);
    expect(Math.abs(Date.now() - (stat?.modifiedAt.getTime() ?? 0))).toBeLessThan(60_000);
    for (const absent of ['nope', 'a', 'a/b/c']) {
      expect(await store.stat(absent)).toBeUndefined();
      await expect(store.get(absent)).rejects.toThrow(FileMissingError);
    }
  });

  it('deletes, and does not mind deleting what is not there', async () => {
    await store.put('a/b/c', '1');
    await store.put('a/d', '1');
    await store.delete('a/b/c');
    await store.delete('a/b/c');
    await store.delete('never/was');
    expect(await keys()).toEqual(['a/d']);
    await store.put('a/b', 'a file where a folder was');
    expect(await keys()).toEqual(['a/b', 'a/d']);
  });

  it('lists by prefix and in the order of bytes, also below folders', async () => {
    const all = ['a-b', 'a/1', 'a/x/2', 'a0', 'b', 'a/x-1'];
    await Promise.all(all.map((key) => store.put(key, key)));
    const inOrder = all.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
    expect(await keys()).toEqual(inOrder);
    expect(await keys('a/')).toEqual(['a/1', 'a/x-1', 'a/x/2']);
    expect(await keys('a/x')).toEqual(['a/x-1', 'a/x/2']);
    expect(await keys('a')).toEqual(['a-b', 'a/1', 'a/x-1', 'a/x/2', 'a0']);
    expect(await keys('nothing/here')).toEqual([]);
    expect(await keys('../')).toEqual([]);
  });

  it('concatenates parts and leaves them there', async () => {
    await store.put('p/1', 'one,');
    await store.put('p/2', 'two');
    expect(await store.concat('whole', ['p/1', 'p/2', 'p/1'])).toEqual({ sizeBytes: 11 });
    expect(await text(await store.get('whole'))).toBe('one,twoone,');
    expect(await keys()).toEqual(['p/1', 'p/2', 'whole']);
    await expect(store.concat('other', ['p/1', 'p/3'])).rejects.toThrow(FileMissingError);
    expect(await keys()).toEqual(['p/1', 'p/2', 'whole']);
    await store.concat('nothing', []);
    expect((await store.stat('nothing'))?.sizeBytes).toBe(0);
  });

  it.each(['plain', 'sp ace/😀.csv', '%2F..%2f', 'a\\b', '..a/b..', `${'k'.repeat(255)}/${'l'.repeat(255)}`])(
    'takes the key %j as it is',
    async (key) => {
      await store.put(key, key);
      expect(await keys()).toEqual([key]);
      expect(await text(await store.get(key))).toBe(key);
    },
  );

  it.each([
    '',
    '/',
    '/etc/passwd',
    'a/../b',
    '..',
    '.',
    'a//b',
    'a/',
    'a\0b',
    'k'.repeat(256),
    '.hub-tmp/x',
    '\ud800',
  ])('refuses the key %j in every call', async (key) => {
    await expect(store.put(key, 'x')).rejects.toThrow(InvalidKeyError);
    await expect(store.get(key)).rejects.toThrow(InvalidKeyError);
    await expect(store.stat(key)).rejects.toThrow(InvalidKeyError);
    await expect(store.delete(key)).rejects.toThrow(InvalidKeyError);
    expect(() => store.localPath(key)).toThrow(InvalidKeyError);
  });

  it('gives readers the old or the new file while it is replaced over and over', async () => {
    const versions = ['x', 'y'].map((letter) => letter.repeat(100_000));
    await store.put('a', versions[0] ?? '');
    const rounds = Array.from({ length: 20 }, (_, round) => round);
    const writer = (async () => {
      for (const round of rounds) await store.put('a', versions[round % 2] ?? '');
    })();
    for (const round of rounds) {
      expect({ round, whole: versions.includes(await text(await store.get('a'))) }).toEqual({
        round,
        whole: true,
      });
    }
    await writer;
  });

  describe('many writers of one key', () => {
    it('leave one of their files, whole', async () => {
      const bodies = Array.from({ length: 8 }, (_, index) => String(index).repeat(50_000));
      await Promise.all(bodies.map((body) => store.put('shared/a', body)));
      expect(bodies).toContain(await text(await store.get('shared/a')));
      expect(await keys()).toEqual(['shared/a']);
    });
  });
}
