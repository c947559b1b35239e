import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startFauxqs, type FauxqsServer } from 'fauxqs';
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
});
