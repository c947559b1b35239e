import { z } from 'zod';
import { fault, faultFromStatus, type HttpResponse } from '../../src/kit/index.js';

const setting = z.looseObject({ id: z.string(), required: z.boolean().default(false) });
const settingsList = z.array(setting).default([]);

export const registrationResponse = z.looseObject({
  type: z.literal('module_registration_response'),
  name: z.string(),
  permissions: z
    .looseObject({
      user_identities: z.array(z.looseObject({ type: z.string(), encoding: z.string() })).default([]),
      allow_access_mpid: z.boolean().default(false),
    })
    .optional(),
  audience_processing_registration: z
    .looseObject({ account_settings: settingsList, audience_subscription_settings: settingsList })
    .optional(),
});

export const subscriptionResponse = z.looseObject({
  type: z.literal('audience_subscription_response'),
  audience_subscription_settings: z.record(z.string(), z.string()).nullish(),
});

export const membershipResponse = z.looseObject({
  type: z.literal('audience_membership_change_response'),
  suspend_subscription: z.boolean().nullish(),
});

/** The receiver's answer in the shape that Firehose documents. Its own words are never repeated. */
export function read<T extends z.ZodType>(response: HttpResponse, shape: T): z.output<T> {
  const { status, retryAfterMs } = response;
  if (status < 200 || status >= 300) {
    throw faultFromStatus(
      status,
      `The Firehose receiver answered ${status}. See the receiver's log for the reason.`,
      retryAfterMs,
    );
  }
  const answer = shape.safeParse(response.json());
  if (answer.success) return answer.data;
  throw fault.retryable(
    'MALFORMED_RESPONSE',
    'The Firehose receiver answered with something else than the response that belongs to the request. Mend it.',
  );
}
