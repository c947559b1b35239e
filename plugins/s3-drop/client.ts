import { S3Client } from '@aws-sdk/client-s3';
import { SQSClient } from '@aws-sdk/client-sqs';
import { assumeRole } from './role.js';
import type { S3DropContext, S3DropSettings } from './settings.js';
import { keysOf, waysOut } from './way.js';

/** A client for one call of the connector. The caller destroys it. */
export function clientOf(ctx: S3DropContext): S3Client {
  const { region, endpoint, forcePathStyle } = ctx.settings;
  return new S3Client({
    region,
    forcePathStyle: forcePathStyle ?? endpoint !== undefined,
    ...waysOut(ctx.lookup),
    // Servers other than AWS often know no checksum headers.
    ...(endpoint === undefined ? {} : { endpoint, responseChecksumValidation: 'WHEN_REQUIRED' as const }),
    ...identityOf(ctx),
  });
}

/** A client of the queue that event notifications arrive in, for one call. The caller destroys it. */
export function queueClientOf(ctx: S3DropContext): SQSClient {
  const endpoint = queueServerOf(ctx.settings);
  return new SQSClient({
    region: ctx.settings.region,
    ...waysOut(ctx.lookup),
    ...(endpoint === undefined ? {} : { endpoint }),
    ...identityOf(ctx),
  });
}

/** Where requests for the queue go to: the address of a queue names its server, too. */
export function queueServerOf({ queueUrl, queueEndpoint }: S3DropSettings): string | undefined {
  return queueUrl === undefined ? undefined : (queueEndpoint ?? new URL(queueUrl).origin);
}

/** Who the hub is towards the bucket: in the role of the customer, by the keys of the input, or by its own role. */
function identityOf(ctx: S3DropContext) {
  const { roleArn } = ctx.credentials;
  return roleArn === undefined ? keysOf(ctx.credentials) : { credentials: () => assumeRole(ctx, roleArn) };
}
