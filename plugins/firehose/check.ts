import type { z } from 'zod';
import { fault } from '../../src/kit/index.js';
import type { registrationResponse } from './answers.js';
import { kindsOf } from './identities.js';
import { type AccountContext, accountSettingsOf } from './messages.js';

/** Holds the settings against what the receiver registered: what it takes, and what it needs. */
export function assertFits(ctx: AccountContext, module: z.output<typeof registrationResponse>): void {
  const audiences = module.audience_processing_registration;
  if (!audiences) throw misfit('takes no audiences: it has no audience_processing_registration.');
  const given = accountSettingsOf(ctx);
  const missing = audiences.account_settings.filter(({ id, required }) => required && !(id in given));
  if (missing.length > 0) {
    const ids = missing.map(({ id }) => id).join(', ');
    throw misfit(`needs account settings: ${ids}. Put them into accountSettings or accountSecrets.`);
  }
  const permitted = module.permissions?.user_identities ?? [];
  const refused = kindsOf(ctx.settings).filter(
    ({ called, encoding }) => !permitted.some((one) => one.type === called && one.encoding === encoding),
  );
  if (refused.length > 0) {
    const names = (kinds: readonly { type: string; encoding: string }[]) =>
      kinds.map(({ type, encoding }) => `${type} (${encoding})`).join(', ') || 'none';
    const wanted = refused.map(({ called: type, encoding }) => ({ type, encoding }));
    throw misfit(
      `does not take ${names(wanted)}, but ${names(permitted)}. Correct email, phone and customerId.`,
    );
  }
  if (ctx.settings.sendMpid && module.permissions?.allow_access_mpid !== true) {
    throw misfit('did not ask for the mpid (allow_access_mpid). Unset sendMpid.');
  }
}

function misfit(how: string) {
  return fault.config('RECEIVER_MISFIT', `The Firehose receiver ${how}`);
}
