/** Why receipts wait, and what somebody should know of those that are settled. */

export const OUTCOMES_FORGOTTEN = {
  code: 'OUTCOMES_FORGOTTEN',
  message:
    'They were taken out so long ago that the outcomes are not kept any more. Ask the partner if in doubt.',
};
export const INACTIVE = {
  code: 'CONNECTION_INACTIVE',
  message: 'The connection is paused, so nothing goes out. Activate it, or waive the receipt.',
};
export const PENDING = {
  code: 'DELIVERY_PENDING',
  message: 'The delivery that takes them out is not through yet.',
};
export const REMOVING = {
  code: 'REMOVAL_PENDING',
  message: 'The connection was deleted, and what it had sent is being removed at the partner.',
};
const REFUSED = {
  code: 'REMOVE_REFUSED',
  message:
    "The partner refused to take some out. The delivery's outcomes say why; settle it with the partner.",
};
export const CANNOT_REMOVE = {
  code: 'REMOVE_UNSUPPORTED',
  message: 'The output cannot remove members. Have the partner delete them.',
};
const SHARED = {
  code: 'SHARED_LIST',
  message:
    'Another connection had some in the same list at the partner; the delivery of that one takes them out. See its receipt.',
};
const SAME_VALUES = {
  code: 'SHARED_IDENTITY',
  message:
    'All that the partner knows some of them by is known of somebody else who stays in the audience, so it stays there.',
};

/** What somebody should know of those whom a delivery did not take out; null: nothing. */
export function reasonOf(counts: Record<'rejected' | 'unsupported' | 'shared' | 'sameValues', number>) {
  if (counts.rejected > 0) return REFUSED;
  if (counts.unsupported > 0) return CANNOT_REMOVE;
  if (counts.sameValues > 0) return SAME_VALUES;
  return counts.shared > 0 ? SHARED : null;
}
