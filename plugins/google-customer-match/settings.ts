import { z } from 'zod';
import { secret } from '../../src/kit/index.js';
import { readKey } from './grant.js';

/** What Google finds people by, in the words of the settings. */
export const IDENTIFIERS = ['email', 'phone', 'name'] as const;

/** One of {@link IDENTIFIERS}. */
export type Identifier = (typeof IDENTIFIERS)[number];

/** Longest time that Google keeps somebody in a list who is not added again. */
export const MAX_MEMBERSHIP_DAYS = 540;

const accountId = (whose: string) =>
  z
    .string()
    .trim()
    .transform((id) => id.replaceAll('-', ''))
    .pipe(z.string().regex(/^\d{1,19}$/, 'must be the id of an account: digits, such as 123-456-7890'))
    .meta({ description: whose });

const consent = (what: string) =>
  z
    .enum(['granted', 'denied', 'unspecified'])
    .default('unspecified')
    .meta({
      description: `Whether the people consented to ${what}; sent with every upload unless unspecified`,
    });

/** Google's, or a stand-in on this machine: keys and people's data go there, and settings are not secret. */
const address = (host: string, path: string, what: string) =>
  z
    .string()
    .regex(
      new RegExp(
        `^(?:https://${host.replaceAll('.', '\\.')}${path}|http://(?:127\\.0\\.0\\.1|localhost)(?::\\d+)?${path})$`,
      ),
      `must be https://${host}${path}`,
    )
    .default(`https://${host}${path}`)
    .meta({ description: what });

export const settings = z.object({
  operatingAccountId: accountId('ID of the account that owns the lists, from the top of Google Ads'),
  accountType: z
    .enum(['GOOGLE_ADS', 'DISPLAY_VIDEO_ADVERTISER', 'DISPLAY_VIDEO_PARTNER'])
    .default('GOOGLE_ADS')
    .meta({ description: 'What kind of account that is' }),
  loginAccountId: accountId(
    'ID of the manager account that the credentials have access to, where it is not the operating account',
  ).optional(),
  loginAccountType: z.enum(['GOOGLE_ADS', 'DISPLAY_VIDEO_PARTNER']).optional().meta({
    description: 'What kind of account the login account is; that of the operating account unless set',
  }),
  termsAccepted: z
    .literal(true, 'must be true: accept the terms of Customer Match for the account first')
    .meta({
      description:
        'That the Customer Match terms are accepted for the operating account (support.google.com/adspolicy/answer/6299717); every upload says so',
    }),
  adUserData: consent('their data being sent to Google for ads'),
  adPersonalization: consent('personalised ads'),
  identifiers: z
    .array(z.enum(IDENTIFIERS))
    .min(1)
    .default([...IDENTIFIERS])
    .meta({
      description:
        'What is sent of each member: email, phone, name (hashed first and last name, ZIP, country)',
    }),
  dataSource: z
    .enum(['first_party', 'third_party_voter_file', 'third_party_partner_data'])
    .default('first_party')
    .meta({ description: 'Where the data came from; Google allows others than first_party to few accounts' }),
  statusAfterSeconds: z.int().min(1).max(86_400).default(1800).meta({
    description: 'Seconds until an upload is first asked for its outcome; Google advises half an hour',
  }),
  endpoint: address('datamanager.googleapis.com', '', 'Address of the Data Manager API'),
  oauthEndpoint: address('oauth2.googleapis.com', '/token', 'Address that access tokens are asked for at'),
});

export const credentials = z
  .object({
    serviceAccountKey: secret('JSON key file of a service account, whole').optional(),
    clientId: secret('ID of the OAuth client').optional(),
    clientSecret: secret('Secret of the OAuth client').optional(),
    refreshToken: secret('Refresh token of a user, granted to the OAuth client').optional(),
  })
  .superRefine(({ serviceAccountKey, clientId, clientSecret, refreshToken }, issues) => {
    const user = [clientId, clientSecret, refreshToken].filter((one) => one !== undefined).length;
    const refuse = (field: string, message: string) =>
      issues.addIssue({ code: 'custom', path: [field], message });
    if (serviceAccountKey === undefined) {
      if (user < 3) refuse('serviceAccountKey', 'give it, or clientId, clientSecret and refreshToken');
      return;
    }
    if (user > 0) refuse('serviceAccountKey', 'give either it, or clientId, clientSecret and refreshToken');
    if (readKey(serviceAccountKey) === undefined) {
      refuse(
        'serviceAccountKey',
        'must be a JSON key file with type service_account, client_email and private_key',
      );
    }
  });

export const connectionSettings = z.object({
  description: z.string().trim().min(1).max(200).optional().meta({ description: 'Shown beside the list' }),
  membershipDays: z
    .int()
    .min(1)
    .max(MAX_MEMBERSHIP_DAYS)
    .default(MAX_MEMBERSHIP_DAYS)
    .meta({ description: 'Days that somebody stays in the list after being added last: 1 to 540' }),
});

export type GoogleSettings = z.output<typeof settings>;
export type GoogleCredentials = z.output<typeof credentials>;
export type GoogleConnection = z.output<typeof connectionSettings>;
