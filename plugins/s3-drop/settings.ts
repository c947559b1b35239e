import { z } from 'zod';
import { type Context, dropSettings, secret } from '../../src/kit/index.js';

export const settings = dropSettings.extend({
  bucket: z.string().min(3).max(63).meta({ description: 'Name of the bucket' }),
  region: z.string().min(1).meta({ description: 'Region of the bucket, such as eu-central-1' }),
  endpoint: z
    .url({ protocol: /^https?$/ })
    .optional()
    .meta({ description: 'Address of an S3-compatible server; AWS if absent' }),
  forcePathStyle: z.boolean().optional().meta({
    description: 'Put the bucket into the path, not the host name. True unless set, with an endpoint',
  }),
});

export const credentials = z
  .object({
    accessKeyId: secret("Access key id; the hub's own role if absent").optional(),
    secretAccessKey: secret('Secret access key').optional(),
    sessionToken: secret('Session token of temporary keys').optional(),
  })
  .refine((keys) => (keys.accessKeyId === undefined) === (keys.secretAccessKey === undefined), {
    message: 'give both accessKeyId and secretAccessKey, or neither',
  });

export type S3DropContext = Context<z.output<typeof settings>, z.output<typeof credentials>>;
