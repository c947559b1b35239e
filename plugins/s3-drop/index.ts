import { addAbortSignal, Readable } from 'node:stream';
import { GetObjectCommand, ListObjectsV2Command, type S3Client } from '@aws-sdk/client-s3';
import { defineInput, dropPrefixOf, type ListedFile, listedFileOf } from '../../src/kit/index.js';
import { clientOf, queueServerOf } from './client.js';
import { notices } from './notices.js';
import { etagOf, revisionOf } from './revision.js';
import { s3FaultOf } from './s3-fault.js';
import { credentials, type S3DropContext, settings } from './settings.js';

/** Files dropped into an S3 bucket, in the IQM or the Repro layout. */
export const s3Drop = defineInput({
  id: 's3-drop',
  name: 'S3 drop',
  description: 'CSV files in an S3 bucket: an object is an audience, a changed object refreshes it.',
  version: '1.0.0',
  settings,
  credentials,
  egressUrls: (fields) =>
    [fields.endpoint, queueServerOf(fields), fields.stsEndpoint].filter((url) => url !== undefined),
  async check(ctx) {
    const client = clientOf(ctx);
    try {
      await listPage(client, ctx, { maxKeys: 1 });
    } finally {
      client.destroy();
    }
  },
  trigger: { type: 'schedule', list: (ctx) => list(ctx), listAfter: list, notices },
  open,
});

async function* list(ctx: S3DropContext, after?: string): AsyncGenerator<ListedFile> {
  const client = clientOf(ctx);
  try {
    let continuationToken: string | undefined;
    do {
      const page = await listPage(client, ctx, { after, continuationToken });
      for (const { Key: key, ETag: etag, Size: sizeBytes = 0, LastModified: modifiedAt } of page.Contents ??
        []) {
        if (key === undefined || etag === undefined || modifiedAt === undefined) continue;
        const entry = listedFileOf(ctx.settings, {
          key,
          revision: revisionOf(etag, sizeBytes),
          sizeBytes,
          modifiedAt,
        });
        if (entry) yield entry;
      }
      continuationToken = page.IsTruncated ? page.NextContinuationToken : undefined;
    } while (continuationToken !== undefined);
  } finally {
    client.destroy();
  }
}

interface Page {
  after?: string | undefined;
  continuationToken?: string | undefined;
  maxKeys?: number;
}

async function listPage(client: S3Client, ctx: S3DropContext, { after, continuationToken, maxKeys }: Page) {
  const { bucket, layout } = ctx.settings;
  try {
    return await client.send(
      new ListObjectsV2Command({
        Bucket: bucket,
        Prefix: dropPrefixOf(ctx.settings),
        // The Repro layout has no folders: what lies in one is not asked for.
        ...(layout === 'repro' ? { Delimiter: '/' } : {}),
        ...(maxKeys === undefined ? {} : { MaxKeys: maxKeys }),
        ...(after === undefined ? {} : { StartAfter: after }),
        ...(continuationToken === undefined ? {} : { ContinuationToken: continuationToken }),
      }),
      { abortSignal: ctx.signal },
    );
  } catch (error) {
    throw s3FaultOf(error, bucket);
  }
}

async function open(ctx: S3DropContext, file: { key: string; revision: string }): Promise<Readable> {
  const client = clientOf(ctx);
  const { bucket } = ctx.settings;
  try {
    // With If-Match the server either sends the listed content to its end or refuses.
    const { Body: body } = await client.send(
      new GetObjectCommand({ Bucket: bucket, Key: file.key, IfMatch: etagOf(file.revision) }),
      { abortSignal: ctx.signal },
    );
    if (!(body instanceof Readable)) throw new TypeError('The S3 client answered without a stream.');
    const content = addAbortSignal(ctx.signal, body);
    const stream = Readable.from(chunksOf(content, bucket, file.key), { objectMode: false });
    // Not in the generator's `finally`, which does not run where nobody began to read.
    return stream.once('close', () => {
      content.destroy();
      client.destroy();
    });
  } catch (error) {
    client.destroy();
    throw s3FaultOf(error, bucket, file.key);
  }
}

async function* chunksOf(
  body: AsyncIterable<Uint8Array>,
  bucket: string,
  key: string,
): AsyncGenerator<Uint8Array> {
  try {
    yield* body;
  } catch (error) {
    throw s3FaultOf(error, bucket, key);
  }
}
