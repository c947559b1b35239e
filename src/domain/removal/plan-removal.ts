/** What an output can do, and what is known of the list at the partner. */
export interface RemovalFacts {
  /** Whether anybody may have reached the partner. */
  membersSent: boolean;
  /** Whether there is a list at the partner. */
  listThere: boolean;
  /** Whether the hub made that list; null: nobody wrote it down. */
  listMade: boolean | null;
  /** Other connections that send to the same list. */
  sharers: number;
  canRemove: boolean;
  canDelete: boolean;
  /** Whether `delete` takes the members away as well. */
  deleteTakesMembers: boolean;
  /** Whether the connection sends whole states, each in place of the one before. */
  sendsWholeStates: boolean;
}

/** What is done about a deleted connection at its partner. */
export interface RemovalPlan {
  /**
   * removed: one by one; replaced: by a whole state with nobody in it; with_list: they go when the list is deleted;
   * stay: nothing can be done; none: nobody had been sent.
   */
  members: 'removed' | 'replaced' | 'with_list' | 'stay' | 'none';
  list: 'deleted' | 'kept' | 'none';
  /**
   * Why the list is kept, where it could have been deleted, or why the members stay; list_gone: somebody had deleted it
   * at the partner before.
   */
  because?: 'list_shared' | 'list_not_ours' | 'cannot_remove' | 'list_gone';
}

/**
 * What to do. A list is deleted only where the hub made it for this connection alone; then nobody is removed one by one
 * who goes with it.
 */
export function planRemoval(facts: RemovalFacts): RemovalPlan {
  const { membersSent, listThere, canDelete, sharers, listMade } = facts;
  if (!membersSent && !listThere) return { members: 'none', list: 'none' };
  const isOurs = listMade === true && sharers === 0;
  const list = canDelete && isOurs ? 'deleted' : 'kept';
  const members = membersSent ? membersOf(facts, list === 'deleted') : 'none';
  if (members === 'stay' && sharers === 0) return { members, list, because: 'cannot_remove' };
  if (list === 'deleted') return { members, list };
  if (sharers > 0) return { members, list, because: 'list_shared' };
  return canDelete ? { members, list, because: 'list_not_ours' } : { members, list };
}

function membersOf(facts: RemovalFacts, deletes: boolean): RemovalPlan['members'] {
  const { canRemove, deleteTakesMembers, sendsWholeStates, sharers } = facts;
  if (deletes && deleteTakesMembers) return 'with_list';
  // Whose state comes last has the list: it cannot be told who of it is whose.
  if (sendsWholeStates) return sharers > 0 ? 'stay' : 'replaced';
  if (canRemove) return 'removed';
  return deletes ? 'with_list' : 'stay';
}
