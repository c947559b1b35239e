import type { RemovalPlan } from './plan-removal.js';

/** What is known of a removal besides its plan. */
export interface RemovalRemains {
  /** Connections to the same list. */
  sharedWith: readonly string[];
  /** The plugin's own words on what stays. */
  leaves?: string | undefined;
  /** Members that the partner refused to take out. */
  refused?: number;
}

/** What stays at the partner, a sentence each; empty: nothing. */
export function whatStays(plan: RemovalPlan, { sharedWith, leaves, refused = 0 }: RemovalRemains): string[] {
  if (plan.members === 'none' && plan.list === 'none') return [];
  return [
    ...becauseOf(plan, sharedWith),
    ...(refused > 0
      ? [`The partner refused to take out ${refused} members; the outcomes of the delivery say whom and why.`]
      : []),
    ...(leaves === undefined || plan.members === 'none' ? [] : [leaves]),
  ];
}

function becauseOf({ members, because }: RemovalPlan, sharedWith: readonly string[]): string[] {
  const others = `connection${sharedWith.length > 1 ? 's' : ''} ${sharedWith.join(', ')}`;
  switch (because) {
    case 'cannot_remove':
      return [
        'Everybody who was sent: the output can neither remove members nor delete the list. Delete it there.',
      ];
    case 'list_shared':
      return members === 'stay'
        ? [
            `Everybody who was sent, until the next delivery of ${others}, which replaces the same list whole.`,
          ]
        : [`The list, and in it the members of ${others}.`];
    case 'list_not_ours':
      return ['The list, without the members: it was there before, or it is not known that the hub made it.'];
    case 'list_gone':
    case undefined:
      return [];
  }
}
