import { mkdir, mkdtemp, readdir, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { mountSmallDisk } from '../../../test/support/small-disk.js';
import { describeFileStore } from './file-store.suite.js';
import { FolderFileStore, InvalidKeyError, StorageFullError } from './index.js';

const disk = await mountSmallDisk(2 ** 20);

describe('FolderFileStore', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'hub-files-'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  afterAll(() => disk?.remove());

  describeFileStore(async () => new FolderFileStore(join(folder, 'made', 'on demand')));

  it('says where a file lies', async () => {
    const store = new FolderFileStore(folder);
    expect(store.localPath('a/b.csv')).toBe(join(folder, 'a', 'b.csv'));
  });

  it('lists capitals first and accents last, as their bytes are', async () => {
    const store = new FolderFileStore(folder);
    for (const key of ['ä/1', 'b', 'Z', 'a😀', 'a/1']) await store.put(key, '');
    const found: string[] = [];
    for await (const key of store.list('')) found.push(key);
    expect(found).toEqual(['Z', 'a/1', 'a😀', 'b', 'ä/1']);
  });

  (disk ? it : it.skip)(
    'says that the disk is full, keeps the old file and frees what it wrote',
    async () => {
      const store = new FolderFileStore(join(disk?.path ?? '', 'files'));
      await store.put('a', 'old');
      async function* endless() {
        for (;;) yield Buffer.alloc(65_536);
      }
      for (const key of ['a', 'b']) await expect(store.put(key, endless())).rejects.toThrow(StorageFullError);
      expect(await text(await store.get('a'))).toBe('old');
      expect(await store.put('b', Buffer.alloc(500_000))).toEqual({ sizeBytes: 500_000 });
    },
  );

  it('makes its folder anew where somebody cleared it away', async () => {
    const root = join(folder, 'cleared');
    const store = new FolderFileStore(root);
    await store.put('a', '1');
    await rm(root, { recursive: true });
    await store.put('b', '2');
    expect(await readdir(root)).toEqual(['.hub-tmp', 'b']);
  });

  describe('of drafts that crashes left', () => {
    let drafts: string;
    beforeEach(async () => {
      drafts = join(folder, '.hub-tmp');
      await mkdir(drafts);
      for (const name of ['long ago', 'just now']) await writeFile(join(drafts, name), 'half');
      const longAgo = new Date(Date.now() - 2 * 3_600_000);
      await utimes(join(drafts, 'long ago'), longAgo, longAgo);
    });

    it('clears the stale ones away with the first file, and leaves none of its own', async () => {
      await new FolderFileStore(folder).put('a', 'x');
      expect(await readdir(drafts)).toEqual(['just now']);
    });

    it('clears stale ones, or all, and says how many; no file goes', async () => {
      const store = new FolderFileStore(folder);
      expect(await store.clearDrafts('stale')).toBe(1);
      expect(await store.clearDrafts('stale')).toBe(0);
      expect(await readdir(drafts)).toEqual(['just now']);
      await store.put('a', 'x');
      expect(await store.clearDrafts('all')).toBe(1);
      expect(await readdir(drafts)).toEqual([]);
      expect(await text(await store.get('a'))).toBe('x');
    });

    it('has none where the folder is not there yet', async () => {
      expect(await new FolderFileStore(join(folder, 'not made')).clearDrafts('all')).toBe(0);
    });
  });

  it('does not follow a symbolic link out of the folder', async () => {
    const outside = await mkdtemp(join(tmpdir(), 'hub-outside-'));
    await writeFile(join(outside, 'secret'), 's');
    await symlink(outside, join(folder, 'way-out'));
    await symlink(join(outside, 'secret'), join(folder, 'file-out'));
    const store = new FolderFileStore(folder);
    await expect(store.put('way-out/new', 'x')).rejects.toThrow(InvalidKeyError);
    await expect(store.get('way-out/secret')).rejects.toThrow(InvalidKeyError);
    await expect(store.get('file-out')).rejects.toThrow(InvalidKeyError);
    await expect(store.delete('way-out/secret')).rejects.toThrow('a symbolic link leads it out');
    expect(await readdir(outside)).toEqual(['secret']);
    await rm(outside, { recursive: true });
  });

  it('works in a folder that is itself reached over a symbolic link', async () => {
    await mkdir(join(folder, 'real'));
    await symlink(join(folder, 'real'), join(folder, 'linked'));
    const store = new FolderFileStore(join(folder, 'linked'));
    await store.put('a/b', 'x');
    expect((await store.stat('a/b'))?.sizeBytes).toBe(1);
    await store.delete('a/b');
    expect(await store.stat('a/b')).toBeUndefined();
  });
});
