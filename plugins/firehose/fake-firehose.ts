import { z } from 'zod';
import type { FakePartner, PartnerAnswer, PartnerRequest } from '../../src/kit/testing/index.js';

const settings = z.record(z.string(), z.string());
const head = {
  id: z.uuid(),
  timestamp_ms: z.int(),
  firehose_version: z.literal('3.2.0'),
};
const int32 = z
  .int()
  .min(0)
  .max(2 ** 31 - 1);
const account = z.strictObject({ account_id: int32, account_settings: settings.optional() });
const identity = z.strictObject({
  type: z.enum(['customer', 'email', 'mobile_number', 'other']),
  encoding: z.enum(['raw', 'md5', 'sha1', 'sha256']),
  value: z.string().min(1),
});

/** The requests as the JSON schemas of Firehose 3.2.0 have them; nothing else is let through. */
const message = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('module_registration_request'), ...head }),
  z.strictObject({
    type: z.literal('audience_subscription_request'),
    ...head,
    account,
    audience_id: int32,
    audience_name: z.string(),
    audience_subscription_settings: settings.optional(),
    action: z.enum(['add', 'update', 'remove']),
  }),
  z.strictObject({
    type: z.literal('audience_membership_change_request'),
    ...head,
    account,
    user_profiles: z.array(
      z.strictObject({
        mpid: z
          .string()
          .regex(/^-?\d+$/)
          .optional(),
        user_identities: z.array(identity),
        audiences: z.array(
          z.strictObject({
            audience_id: int32,
            audience_name: z.string(),
            audience_subscription_settings: settings.optional(),
            action: z.enum(['add', 'delete', 'attribute_update']),
            user_attributes: z
              .array(
                z.strictObject({
                  key: z.string(),
                  value: z.string().optional(),
                  action: z.enum(['upsert', 'delete']),
                }),
              )
              .optional(),
          }),
        ),
      }),
    ),
  }),
]);

export type Message = z.output<typeof message>;

/** How the stand-in differs from a receiver that takes everything. */
export interface FakeFirehoseOptions {
  /** Value of the account setting `apiKey` that it takes; any where absent. */
  apiKey?: string;
  registration?: object;
  subscriptionSettings?: Record<string, string>;
  suspends?: boolean;
}

/** An endpoint made for Firehose: it answers each request with the response that belongs to it. */
export class FakeFirehose implements FakePartner {
  readonly #audiences = new Map<number, Set<string>>();

  constructor(private readonly options: FakeFirehoseOptions = {}) {}

  answer({ method, headers, body }: PartnerRequest): PartnerAnswer {
    if (method !== 'POST' || !headers['content-type']?.startsWith('application/json')) return { status: 415 };
    const read = message.safeParse(JSON.parse(body));
    if (!read.success) return { status: 400, body: read.error.message };
    const request = read.data;
    if (request.type === 'module_registration_request') {
      return response('module_registration_response', this.options.registration ?? REGISTRATION);
    }
    const { apiKey } = request.account.account_settings ?? {};
    if (apiKey === undefined || (this.options.apiKey !== undefined && apiKey !== this.options.apiKey)) {
      return { status: 401 };
    }
    if (request.type === 'audience_subscription_request') {
      if (request.action === 'remove') this.#audiences.delete(request.audience_id);
      const set = this.options.subscriptionSettings;
      return response('audience_subscription_response', set ? { audience_subscription_settings: set } : {});
    }
    this.#change(request);
    return response('audience_membership_change_response', {
      suspend_subscription: this.options.suspends ?? false,
    });
  }

  state(): unknown {
    const filled = [...this.#audiences].filter(([, people]) => people.size > 0);
    return filled.sort(([one], [other]) => one - other).map(([id, people]) => [id, [...people].sort()]);
  }

  #change(request: Extract<Message, { type: 'audience_membership_change_request' }>): void {
    for (const { user_identities: identities, audiences } of request.user_profiles) {
      for (const { audience_id: id, action } of audiences) {
        const people = this.#audiences.get(id) ?? new Set<string>();
        this.#audiences.set(id, people);
        for (const { type, encoding, value } of identities) {
          const person = `${type} ${encoding} ${value}`;
          if (action === 'add') people.add(person);
          if (action === 'delete') people.delete(person);
        }
      }
    }
  }
}

const permitted = (type: string) => ({ type, encoding: 'raw', required: false });

/** A registration that takes what the plugin sends unless told otherwise. */
export const REGISTRATION = {
  name: 'Acme',
  version: '1.0',
  permissions: { user_identities: ['email', 'customer', 'mobile_number'].map(permitted) },
  audience_processing_registration: {
    account_settings: [{ type: 'text', id: 'apiKey', name: 'API key', required: true, confidential: true }],
  },
};

function response(type: string, more: object): PartnerAnswer {
  const id = '00000000-0000-4000-8000-000000000000';
  const body = { type, id, timestamp_ms: 1, firehose_version: '3.2.0', sdk_version: '3.2.0', ...more };
  return { status: 200, headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
}
