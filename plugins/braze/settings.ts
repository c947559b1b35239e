import { z } from 'zod';
import { type NameRule, secret } from '../../src/kit/index.js';

export const IDENTIFIERS = ['external_id', 'user_alias', 'email', 'phone'] as const;

/** How Braze is told whom an update is about. */
export type Identifier = (typeof IDENTIFIERS)[number];

export const settings = z
  .object({
    endpoint: z
      .string()
      // The key goes there: nobody may send it elsewhere by editing settings.
      .regex(
        /^(?:https:\/\/rest\.[a-z]{2,3}-\d{2}\.braze\.(?:com|eu)|http:\/\/(?:127\.0\.0\.1|localhost)(?::\d+)?)$/,
        'must be a REST endpoint of Braze, such as https://rest.iad-01.braze.com',
      )
      .meta({ description: 'REST endpoint of your instance, such as https://rest.iad-01.braze.com' }),
    identifyBy: z
      .array(z.enum(IDENTIFIERS))
      .min(1)
      .refine((all) => new Set(all).size === all.length, { message: 'must name each once' })
      .default(['external_id'])
      .meta({ description: 'How people are found in Braze; the first of these that a member has counts' }),
    aliasLabel: z
      .string()
      .min(1)
      .max(255)
      .optional()
      .meta({ description: 'Label of the user aliases, whose names are the customer ids' }),
    membership: z.enum(['boolean', 'array']).default('boolean').meta({
      description: 'boolean: an attribute per audience. array: one attribute with the names of all audiences',
    }),
    arrayAttribute: attributeName('The attribute that holds the names, where membership is array').default(
      'audiences',
    ),
    onRemove: z
      .enum(['false', 'unset'])
      .default('false')
      .meta({ description: 'What a boolean attribute becomes for those who left' }),
    createUsers: z
      .boolean()
      .default(false)
      .meta({ description: 'Whether people whom Braze does not know become users there' }),
    share: z
      .array(z.enum(['email', 'phone']))
      .max(2)
      .default([])
      .meta({ description: 'Written to the profile of those found by external_id or user_alias' }),
    requestsPerSecond: z
      .int()
      .min(1)
      .max(1000)
      .default(1000)
      .meta({ description: 'Requests a second at most; lower it where your contract has a lower limit' }),
  })
  .refine(({ identifyBy, aliasLabel }) => !identifyBy.includes('user_alias') || aliasLabel !== undefined, {
    path: ['aliasLabel'],
    message: 'must be given where identifyBy has user_alias',
  });

export const credentials = z.object({
  apiKey: secret('REST API key with the permission users.track'),
});

export const connectionSettings = z.object({
  name: attributeName(
    'Name of the attribute, or the value in the array; the audience’s name if absent',
  ).optional(),
});

/** Fields of a profile in Braze, and words of a request: an audience of this name would overwrite them. */
const RESERVED_NAMES = (
  'external_id user_alias braze_id email phone push_token_import country current_location dob gender home_city ' +
  'language first_name last_name time_zone image_url facebook twitter instagram date_of_first_session ' +
  'date_of_last_session email_subscribe push_subscribe email_open_tracking_disabled ' +
  'email_click_tracking_disabled marked_email_as_spam_at push_tokens subscription_groups app_id bio'
).split(' ');
const RESERVED = new Set(RESERVED_NAMES);

/** Characters of a name. */
export const MAX_NAME_LENGTH = 255;

/** Names that an attribute may have. */
export const ATTRIBUTE_NAMES: NameRule = {
  maxLength: MAX_NAME_LENGTH,
  pattern: '^[^$_\\s](?:.*\\S)?$',
  reserved: RESERVED_NAMES,
  allowed: 'neither begins with $, _ or a space nor is a field of Braze’s own',
};

/** What is wrong with the name of a custom attribute; undefined where nothing is. */
export function nameProblem(name: string): string | undefined {
  if (name.trim() === '' || name.trim() !== name)
    return 'must neither be empty nor begin or end with a space';
  if (name.length > MAX_NAME_LENGTH) return 'must not be longer than 255 characters';
  if (/^[$_]/.test(name)) return 'must not begin with $ or _';
  if (RESERVED.has(name.toLowerCase())) return 'is a field that Braze has of its own';
  return undefined;
}

/** What keeps a shared attribute of this name out of Braze; undefined where nothing does. */
export function attributeRefusal(
  name: string,
  { membership, arrayAttribute }: z.output<typeof settings>,
): string | undefined {
  if (membership === 'array' && name === arrayAttribute) return 'is the attribute that holds the audiences';
  return nameProblem(name);
}

function attributeName(description: string) {
  return z
    .string()
    .superRefine((name, ctx) => {
      const message = nameProblem(name);
      if (message !== undefined) ctx.addIssue({ code: 'custom', message });
    })
    .meta({ description });
}

export type BrazeSettings = z.output<typeof settings>;
