import type { CountVerdict } from '../../../domain/reconciliation/index.js';
import type { Reconciliation } from '../../../platform/database/index.js';

type Problem = NonNullable<Reconciliation['problem']>;

export const COUNT_UNSUPPORTED: Problem = {
  code: 'COUNT_UNSUPPORTED',
  message: 'The partner does not tell how many it has. Nothing was compared.',
};

export const NOTHING_DELIVERED: Problem = {
  code: 'NOTHING_DELIVERED',
  message: 'Nothing was delivered to the partner yet. There is nothing to compare.',
};

export const COUNT_CHANGING: Problem = {
  code: 'COUNT_CHANGING',
  message: 'Members were delivered while both sides were counted. Ask again in a while.',
};

export const COUNT_TOO_SLOW: Problem = {
  code: 'COUNT_TOO_SLOW',
  message: 'The partner did not answer in time, or its rate is used up at the moment. Ask again in a while.',
};

/** What to do about two counts that are too far apart. */
export function differs(
  connectionId: string,
  of: Reconciliation['of'],
  count: { verdict: CountVerdict; hub: number; partner: number; tolerance: number; difference: number },
): Problem {
  const { verdict, hub, partner, tolerance, difference } = count;
  const what = of === 'matched' ? 'people it found' : of;
  const told =
    `The partner says it has ${partner} ${what}, and the hub counts ${hub} accepted there: ${Math.abs(difference)} ` +
    `${verdict}, where ${tolerance} are allowed for.`;
  const next =
    verdict === 'fewer'
      ? `POST /connections/${connectionId}/reconcile with {"backfill": true} sends all members again.`
      : 'Somebody else may have added to the list there. Delete it at the partner and resume: it is made anew.';
  return { code: 'COUNT_DIFFERS', message: `${told} ${next}` };
}
