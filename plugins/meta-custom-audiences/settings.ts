import { z } from 'zod';
import { secret } from '../../src/kit/index.js';

/** What Meta finds people by, in the words of the settings. */
export const IDENTIFIERS = ['email', 'phone', 'name', 'customer_id'] as const;

/** One of {@link IDENTIFIERS}. */
export type Identifier = (typeof IDENTIFIERS)[number];

export const settings = z.object({
  adAccountId: z
    .string()
    .regex(/^(?:act_)?\d{1,20}$/, 'must be the id of an ad account: digits, with or without act_')
    .meta({ description: 'ID of the ad account, from Ads Manager' }),
  identifiers: z.array(z.enum(IDENTIFIERS)).min(1).default(['email', 'phone', 'name']).meta({
    description:
      'What is sent of each member, hashed: email, phone, name (first and last name, ZIP, state, country), customer_id (as EXTERN_ID)',
  }),
  mode: z.enum(['changes', 'replace']).default('changes').meta({
    description:
      'changes adds and removes who came and left; replace sends all members each time and makes them the whole list',
  }),
  customerFileSource: z
    .enum(['USER_PROVIDED_ONLY', 'PARTNER_PROVIDED_ONLY', 'BOTH_USER_AND_PARTNER_PROVIDED'])
    .default('USER_PROVIDED_ONLY')
    .meta({ description: 'Where the data came from; Meta shows it to the people in the audience' }),
  endpoint: z
    .string()
    // The token goes there: nobody may send it elsewhere by editing settings.
    .regex(
      /^(?:https:\/\/graph\.facebook\.com|http:\/\/(?:127\.0\.0\.1|localhost)(?::\d+)?)$/,
      'must be https://graph.facebook.com',
    )
    .default('https://graph.facebook.com')
    .meta({ description: 'Address of the Graph API' }),
});

export const credentials = z.object({
  accessToken: secret('Token of a system user with ads_management, that does not expire'),
  appSecret: secret('Secret of the app; signs every request (appsecret_proof) where it is set').optional(),
});

export const connectionSettings = z.object({
  description: z
    .string()
    .trim()
    .max(200)
    .optional()
    .meta({ description: 'Shown beside the audience in Ads Manager' }),
  lookalikeCountry: z
    .string()
    .regex(/^[A-Z]{2}$/, 'must be a two-letter country code in upper case')
    .optional()
    .meta({ description: 'Makes a lookalike audience in this country once the list is large enough' }),
  lookalikeRatio: z
    .number()
    .min(0.01)
    .max(0.2)
    .multipleOf(0.01)
    .default(0.01)
    .meta({ description: "Share of the country's people in the lookalike: 0.01 to 0.20" }),
});

export type MetaSettings = z.output<typeof settings>;
export type MetaCredentials = z.output<typeof credentials>;
export type MetaConnection = z.output<typeof connectionSettings>;
