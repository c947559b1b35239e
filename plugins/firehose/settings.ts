import { z } from 'zod';
import { secret } from '../../src/kit/index.js';

export const MAX_BATCH_SIZE = 1000;
export const DEFAULT_BATCH_SIZE = 500;
/** The SDK of the receiver holds ids as 32-bit integers. */
export const MAX_ID = 2 ** 31 - 1;

const texts = z.record(z.string().min(1), z.string());
const sharing = (what: string) =>
  z
    .enum(['off', 'raw', 'md5', 'sha1', 'sha256'])
    .default('raw')
    .meta({ description: `How ${what} are sent; off leaves them out` });

export const settings = z
  .object({
    url: z.url({ protocol: /^https?$/ }).meta({ description: 'Address that takes the Firehose messages' }),
    accountId: z
      .int()
      .min(0)
      .max(MAX_ID)
      .meta({ description: 'Id of your account, by which the receiver tells its customers apart' }),
    accountSettings: texts
      .default({})
      .meta({ description: 'Account settings of the receiver that are not confidential, by id' }),
    email: sharing('e-mail addresses'),
    phone: sharing('phone numbers'),
    customerId: sharing('customer ids'),
    sendMpid: z
      .boolean()
      .default(false)
      .meta({ description: 'Whether profiles carry their mpid; the receiver must have asked for it' }),
    compression: z.enum(['none', 'gzip']).default('none').meta({ description: 'Whether bodies are packed' }),
    authHeader: z
      .string()
      .regex(/^[A-Za-z0-9-]{1,100}$/, 'must be the name of a header')
      .optional()
      .meta({ description: 'Header that carries the access token; Authorization: Bearer unless set' }),
    batchSize: z
      .int()
      .min(1)
      .max(MAX_BATCH_SIZE)
      .default(DEFAULT_BATCH_SIZE)
      .meta({ description: 'User profiles a message holds at most' }),
    concurrency: z.int().min(1).max(16).default(1).meta({ description: 'Messages under way at once' }),
    expireAfterDays: z.int().min(1).max(3650).optional().meta({
      description:
        'Days after which the receiver forgets members who are not added again; the hub adds them in time. Unless set: never',
    }),
  })
  .refine(({ email, phone, customerId }) => [email, phone, customerId].some((how) => how !== 'off'), {
    message: 'must send at least one of email, phone and customerId',
  });

export const credentials = z
  .object({
    accountSecrets: secret(
      'Confidential account settings of the receiver, by id, as JSON: {"apiKey": "…"}',
    ).optional(),
    accessToken: secret('Access token that goes into the header of every request').optional(),
  })
  .refine(({ accountSecrets }) => accountSecrets === undefined || secretsOf(accountSecrets) !== undefined, {
    path: ['accountSecrets'],
    message: 'must be a JSON object of texts, such as {"apiKey": "…"}',
  });

export const connectionSettings = z.object({
  audienceId: z
    .int()
    .min(1)
    .max(MAX_ID)
    .optional()
    .meta({ description: 'Id of the audience at the receiver; made from the connection unless set' }),
  subscriptionSettings: texts
    .default({})
    .meta({ description: 'Settings of the receiver for this audience, by id' }),
});

/** The confidential account settings; undefined where the text is no JSON object of texts. */
export function secretsOf(text: string): Record<string, string> | undefined {
  try {
    return texts.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}

export type FirehoseSettings = z.output<typeof settings>;
