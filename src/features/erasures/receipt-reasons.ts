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
export const REFUSED = {
  code: 'REMOVE_REFUSED',
  message:
    "The partner refused to take some out. The delivery's outcomes say why; settle it with the partner.",
};
export const CANNOT_REMOVE = {
  code: 'REMOVE_UNSUPPORTED',
  message: 'The output cannot remove members. Have the partner delete them.',
};
