import { createHash, timingSafeEqual } from 'node:crypto';
import { DeleteMessageBatchCommand, ReceiveMessageCommand, type Message } from '@aws-sdk/client-sqs';
import { HeadObjectCommand } from '@aws-sdk/client-s3';
import {
  fault,
  isConnectorError,
  listedFileOf,
  type ListedFile,
  type Notice,
  type Notices,
} from '../../src/kit/index.js';
import { clientOf, queueClientOf } from './client.js';
import { keysOfEvent } from './event-keys.js';
import { revisionOf } from './revision.js';
import { s3FaultOf } from './s3-fault.js';
import type { S3DropContext, S3DropCredentials, S3DropSettings } from './settings.js';

/** Messages of one request, and deletions of one: as many as SQS allows. */
const BATCH = 10;

/** Event notifications of the bucket: in an SQS queue, or sent to the hub. */
export const notices: Notices<S3DropSettings, S3DropCredentials> = {
  isOn: ({ queueUrl }) => queueUrl !== undefined,
  receive,
  done,
  authenticate({ credentials: { webhookSecret } }, { headers }) {
    const sent = /^Bearer (.+)$/i.exec(headers.authorization ?? '')?.[1];
    if (webhookSecret === undefined || sent === undefined || !isSame(sent, webhookSecret)) {
      throw fault.auth('WEBHOOK_SECRET', 'The request does not carry the webhookSecret of the input.');
    }
  },
  keysOf: keysOfEvent,
  look,
};

async function receive(ctx: S3DropContext, waitMs: number): Promise<Notice[]> {
  const { queueUrl } = ctx.settings;
  if (queueUrl === undefined) return [];
  const client = queueClientOf(ctx);
  try {
    const { Messages: messages = [] } = await client.send(
      new ReceiveMessageCommand({
        QueueUrl: queueUrl,
        MaxNumberOfMessages: BATCH,
        WaitTimeSeconds: Math.floor(waitMs / 1000),
      }),
      { abortSignal: ctx.signal },
    );
    return messages.map((message) => noticeOf(ctx.settings, message));
  } catch (error) {
    throw s3FaultOf(error, ctx.settings.bucket);
  } finally {
    client.destroy();
  }
}

function noticeOf(
  settings: S3DropSettings,
  { ReceiptHandle: receipt = '', Body: body = '' }: Message,
): Notice {
  try {
    return { receipt, keys: keysOfEvent(settings, JSON.parse(body)) };
  } catch (error) {
    if (isConnectorError(error) || error instanceof SyntaxError) return { receipt, keys: undefined };
    throw error;
  }
}

async function done(ctx: S3DropContext, read: readonly Notice[]): Promise<void> {
  const client = queueClientOf(ctx);
  try {
    for (let start = 0; start < read.length; start += BATCH) {
      const entries = read
        .slice(start, start + BATCH)
        .map(({ receipt }, index) => ({ Id: String(index), ReceiptHandle: receipt }));
      // One that could not be deleted is told again, and finds its revision taken.
      await client.send(
        new DeleteMessageBatchCommand({ QueueUrl: ctx.settings.queueUrl, Entries: entries }),
        { abortSignal: ctx.signal },
      );
    }
  } catch (error) {
    throw s3FaultOf(error, ctx.settings.bucket);
  } finally {
    client.destroy();
  }
}

async function* look(ctx: S3DropContext, keys: readonly string[]): AsyncGenerator<ListedFile> {
  const { bucket } = ctx.settings;
  const client = clientOf(ctx);
  try {
    for (const key of keys) {
      const object = await client
        .send(new HeadObjectCommand({ Bucket: bucket, Key: key }), { abortSignal: ctx.signal })
        .catch((error: unknown) => {
          if ((error as { $metadata?: { httpStatusCode?: number } }).$metadata?.httpStatusCode === 404)
            return undefined;
          throw s3FaultOf(error, bucket);
        });
      if (object?.ETag === undefined || object.LastModified === undefined) continue;
      const { ETag: etag, ContentLength: sizeBytes = 0, LastModified: modifiedAt } = object;
      const entry = listedFileOf(ctx.settings, {
        key,
        revision: revisionOf(etag, sizeBytes),
        sizeBytes,
        modifiedAt,
      });
      if (entry) yield entry;
    }
  } finally {
    client.destroy();
  }
}

/** Digests are compared, so that neither content nor length takes a time of its own. */
function isSame(one: string, other: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(one), digest(other));
}
