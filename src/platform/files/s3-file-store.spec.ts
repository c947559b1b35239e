import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { CreateMultipartUploadCommand } from '@aws-sdk/client-s3';
import { startFauxqs, type FauxqsServer } from 'fauxqs';
import { startMultipartS3 } from '../../../test/support/multipart-s3.js';
import { describeFileStore } from './file-store.suite.js';
import { openFileStore, openS3Client, S3FileStore } from './index.js';

describe('S3FileStore', () => {
  const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };
  const bucket = 'hub-files';
  let server: FauxqsServer;
  beforeAll(async () => {
    server = await startFauxqs({ port: 0, logger: false });
    server.createBucket(bucket);
  });
  afterAll(() => server.stop());

  const access = () => ({ endpoint: server.address, region: 'us-east-1', credentials });

  describeFileStore(async () => openFileStore({ kind: 's3', bucket, prefix: randomUUID(), ...access() }));

  it('sees its own prefix only', async () => {
    const client = openS3Client(access());
    const [inner, outer] = ['own/a', 'own'].map((prefix) => new S3FileStore(client, { bucket, prefix }));
    await outer?.put('ab/other', 'x');
    await inner?.put('mine', 'x');
    const found: string[] = [];
    for await (const key of inner?.list('') ?? []) found.push(key);
    expect(found).toEqual(['mine']);
    expect((await outer?.stat('a/mine'))?.sizeBytes).toBe(1);
  });

  it('lists more than one page', async () => {
    const store = new S3FileStore(openS3Client(access()), { bucket, prefix: 'pages' });
    for (let from = 0; from < 1100; from += 50) {
      await Promise.all(Array.from({ length: 50 }, (_, index) => store.put(`k${from + index}`, '')));
    }
    let count = 0;
    for await (const key of store.list('k')) count += key.startsWith('k') ? 1 : 0;
    expect(count).toBe(1100);
  });

  it('has no local path', () => {
    expect(new S3FileStore(openS3Client(access()), { bucket, prefix: '' }).localPath('a')).toBeUndefined();
  });

  it('does not take a missing bucket for a missing file', async () => {
    const store = new S3FileStore(openS3Client(access()), { bucket: 'no-such-bucket', prefix: '' });
    await expect(store.get('a')).rejects.toThrow(expect.objectContaining({ name: 'NoSuchBucket' }));
  });

  describe('of uploads that crashes left', () => {
    const old = (key: string) => key.endsWith('old');

    it('aborts the stale ones, or all, below its own folders, and says how many', async () => {
      const s3 = await startMultipartS3(
        bucket,
        (key) => new Date(Date.now() - (old(key) ? 25 : 1) * 3_600_000),
      );
      try {
        const client = openS3Client({ ...access(), endpoint: s3.endpoint });
        const own = [
          'uploads/1-old',
          'uploads/2',
          'uploads/3-old',
          'exports/w/4-old',
          'imports/5-old/rejects.csv',
        ];
        const foreign = ['theirs/uploads/6-old', 'uploads/7-old', 'hub/theirs/8-old'];
        const begin = async (Key: string) => {
          await client.send(new CreateMultipartUploadCommand({ Bucket: bucket, Key }));
        };
        for (const key of [...own.map((name) => `hub/${name}`), ...foreign]) await begin(key);
        const store = new S3FileStore(client, { bucket, prefix: 'hub' });
        expect(await store.clearDrafts('stale')).toBe(3);
        expect(s3.openKeys()).toEqual(['hub/uploads/2', 'hub/imports/5-old/rejects.csv', ...foreign]);
        expect(await store.clearDrafts('all')).toBe(2);
        expect(s3.openKeys()).toEqual(foreign);
        client.destroy();
      } finally {
        await s3.stop();
      }
    });
  });
});
