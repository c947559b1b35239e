import { AssumeRoleCommand, STSClient } from '@aws-sdk/client-sts';
import { fault, isConnectorError } from '../../src/kit/index.js';
import { keysOf, waysOut } from './way.js';
import { s3FaultOf } from './s3-fault.js';
import type { S3DropContext } from './settings.js';

/** What the log of the customer's account shows as who came. */
const SESSION_NAME = 'audience-hub';
/** Longer than any file takes; the SDK asks anew before it ends. */
const SESSION_SECONDS = 3600;

/** Keys of a session in the role of the customer. */
export interface RoleSession {
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken: string;
  expiration: Date;
}

/**
 * Takes the role on, by the keys of the input or else as who the hub is. An SDK client calls it for its first
 * request and again before the session ends.
 */
export async function assumeRole(ctx: S3DropContext, roleArn: string): Promise<RoleSession> {
  const { region, stsEndpoint } = ctx.settings;
  const { externalId } = ctx.credentials;
  const client = new STSClient({
    region,
    ...waysOut(ctx.lookup),
    ...(stsEndpoint === undefined ? {} : { endpoint: stsEndpoint }),
    ...keysOf(ctx.credentials),
  });
  try {
    const { Credentials: made } = await client.send(
      new AssumeRoleCommand({
        RoleArn: roleArn,
        RoleSessionName: SESSION_NAME,
        DurationSeconds: SESSION_SECONDS,
        ...(externalId === undefined ? {} : { ExternalId: externalId }),
      }),
      { abortSignal: ctx.signal },
    );
    const { AccessKeyId, SecretAccessKey, SessionToken, Expiration } = made ?? {};
    if (!AccessKeyId || !SecretAccessKey || !SessionToken || !Expiration) {
      throw fault.retryable('ROLE_ANSWER_MALFORMED', 'The server of roles answered without a whole session.');
    }
    return {
      accessKeyId: AccessKeyId,
      secretAccessKey: SecretAccessKey,
      sessionToken: SessionToken,
      expiration: Expiration,
    };
  } catch (error) {
    throw roleFaultOf(error, ctx.settings.bucket);
  } finally {
    client.destroy();
  }
}

/** A refusal to take the role on is told apart from one by the bucket: another policy is to be mended. */
function roleFaultOf(error: unknown, bucket: string): unknown {
  const found = s3FaultOf(error, bucket);
  if (!isConnectorError(found) || found.kind !== 'auth') return found;
  return fault.auth(
    'ROLE_REFUSED',
    `Bucket ${bucket}: the role of this input may not be taken on (${found.code}). Mend its trust policy, the roleArn or the externalId.`,
  );
}
