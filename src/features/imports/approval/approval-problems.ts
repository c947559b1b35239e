import type { audiences, ImportProblem, imports } from '../../../platform/database/index.js';

const NEEDED = 'APPROVAL_NEEDED';

/** Why an import is held whose audience somebody has to approve first; undefined where nobody has to. */
export function approvalNeeded({
  id,
  approval,
}: Pick<typeof audiences.$inferSelect, 'id' | 'approval'>): ImportProblem | undefined {
  if (approval !== 'needed') return undefined;
  return {
    code: NEEDED,
    message: `The organization approves uploaded audiences by hand. Approve it (POST /audiences/${id}/approve) or reject it (POST /audiences/${id}/reject).`,
    step: 'guard',
  };
}

/** True of an import that is held for {@link approvalNeeded}. */
export function waitsForApproval({
  state,
  error,
}: Pick<typeof imports.$inferSelect, 'state' | 'error'>): boolean {
  return state === 'held' && error?.code === NEEDED;
}

/** The end of an import whose audience was rejected. */
export const REJECTED: ImportProblem = {
  code: 'AUDIENCE_REJECTED',
  message: 'The audience was rejected, so nothing of its file was published. Upload it anew to ask again.',
  step: 'guard',
};
