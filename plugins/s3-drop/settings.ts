import { z } from 'zod';
import { type Context, dropSettings, secret } from '../../src/kit/index.js';

const MIN_SECRET_LENGTH = 16;
const ROLE_ARN = /^arn:aws[a-z-]*:iam::\d{12}:role\/[\w+=,.@/-]+$/;
const EXTERNAL_ID = /^[\w+=,.@:/-]{2,1224}$/;

export const settings = dropSettings.extend({
  bucket: z.string().min(3).max(63).meta({ description: 'Name of the bucket' }),
  region: z.string().min(1).meta({ description: 'Region of the bucket, such as eu-central-1' }),
  endpoint: z
    .url({ protocol: /^https?$/ })
    .optional()
    .meta({ description: 'Address of an S3-compatible server; AWS if absent' }),
  queueUrl: z
    .url({ protocol: /^https?$/ })
    .optional()
    .meta({ description: 'SQS queue that the event notifications of the bucket arrive in' }),
  queueEndpoint: z
    .url({ protocol: /^https?$/ })
    .optional()
    .meta({
      description:
        'Address of the server of the queue, such as a VPC endpoint, where it is not that of queueUrl',
    }),
  stsEndpoint: z
    .url({ protocol: /^https?$/ })
    .optional()
    .meta({
      description:
        'Address of the server that gives sessions of the role; that of AWS in the region if absent',
    }),
  forcePathStyle: z.boolean().optional().meta({
    description: 'Put the bucket into the path, not the host name. True unless set, with an endpoint',
  }),
});

export const credentials = z
  .object({
    accessKeyId: secret("Access key id; the hub's own role if absent").optional(),
    secretAccessKey: secret('Secret access key').optional(),
    sessionToken: secret('Session token of temporary keys').optional(),
    roleArn: secret('Role to take on, by these keys or as who the hub is').optional(),
    externalId: secret('External id that the trust policy of the role asks for').optional(),
    webhookSecret: secret(
      'What senders of event notifications prove themselves with; 16 characters or more',
    ).optional(),
  })
  .refine(({ webhookSecret: text }) => text === undefined || text.length >= MIN_SECRET_LENGTH, {
    message: `webhookSecret must have at least ${MIN_SECRET_LENGTH} characters`,
  })
  .refine(({ roleArn }) => roleArn === undefined || ROLE_ARN.test(roleArn), {
    message: 'roleArn must look like arn:aws:iam::111122223333:role/name',
  })
  .refine(({ externalId }) => externalId === undefined || EXTERNAL_ID.test(externalId), {
    message: 'externalId takes 2 to 1224 letters, digits and any of _+=,.@:/-',
  })
  .refine(({ roleArn, externalId }) => externalId === undefined || roleArn !== undefined, {
    message: 'an externalId goes with a roleArn',
  })
  .refine((keys) => (keys.accessKeyId === undefined) === (keys.secretAccessKey === undefined), {
    message: 'give both accessKeyId and secretAccessKey, or neither',
  });

export type S3DropSettings = z.output<typeof settings>;
export type S3DropCredentials = z.output<typeof credentials>;
export type S3DropContext = Context<S3DropSettings, S3DropCredentials>;
