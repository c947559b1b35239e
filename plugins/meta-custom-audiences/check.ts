import { z } from 'zod';
import { fault } from '../../src/kit/index.js';
import { accountOf, type ApiContext, call, read } from './api.js';

const account = z.object({
  id: z.string(),
  account_status: z.int().optional(),
  tos_accepted: z.record(z.string(), z.union([z.number(), z.boolean()])).optional(),
});

const ACTIVE = 1;

/** Asks for the ad account: it needs the token, the permission and the account. */
export async function checkAccount(ctx: ApiContext): Promise<void> {
  const path = `${accountOf(ctx)}?fields=id,account_status,tos_accepted`;
  const { account_status: status = ACTIVE, tos_accepted: terms } = read(
    await call(ctx, 'GET', path),
    account,
  );
  if (status !== ACTIVE) {
    throw fault.config(
      'ACCOUNT_INACTIVE',
      `The ad account is not active (account_status ${status}). See Account Quality in Business Manager.`,
    );
  }
  if (terms !== undefined && !terms.custom_audience_tos) {
    throw fault.config(
      'TERMS_NOT_ACCEPTED',
      'The terms for custom audiences are not accepted. An admin of the ad account accepts them at ' +
        'https://business.facebook.com/ads/manage/customaudiences/tos/.',
    );
  }
}
