import { z } from 'zod';
import { secret } from '../../src/kit/index.js';
import { dataCenterOf } from './data-center.js';

export const settings = z.object({
  listId: z
    .string()
    .regex(/^[A-Za-z0-9]{4,32}$/, 'must be an audience ID of Mailchimp, such as a1b2c3d4e5')
    .meta({ description: 'ID of the Mailchimp audience (its list), from Audience > Settings' }),
  newContacts: z.enum(['subscribed', 'pending', 'transactional', 'none']).default('transactional').meta({
    description:
      'What people become whom the list does not know yet; none leaves them out. Contacts that are there keep their status',
  }),
  endpoint: z
    .string()
    // The key goes there: nobody may send it elsewhere by editing settings.
    .regex(
      /^(?:https:\/\/[a-z0-9]+\.api\.mailchimp\.com|http:\/\/(?:127\.0\.0\.1|localhost)(?::\d+)?)$/,
      'must be https://….api.mailchimp.com',
    )
    .optional()
    .meta({ description: 'Address of the API; that of the data center in the key unless set' }),
});

export const credentials = z
  .object({ apiKey: secret('API key, ending in its data center: …-us6') })
  .refine(({ apiKey }) => dataCenterOf(apiKey) !== undefined, {
    path: ['apiKey'],
    message: 'must end in its data center, such as -us6',
  });

export const connectionSettings = z.object({
  tag: z
    .string()
    .trim()
    .min(1)
    .max(100)
    .optional()
    .meta({ description: "Tag that marks the members; the audience's name if absent" }),
});
