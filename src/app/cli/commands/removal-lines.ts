/** What becomes of what a deleted connection had sent, as the API shows it. */
export interface Removal {
  members: string | null;
  list: string | null;
  outcome: string | null;
  stays: string[];
}

/** What stops it. */
export interface Fault {
  id: string;
  code: string;
  message: string;
}

/** Whether somebody has to look after it. */
export function isUnwell(removal: Removal | null, fault: Fault | null): boolean {
  return fault !== null || ['stays', 'given_up'].includes(removal?.outcome ?? '');
}

const MEMBERS: Record<string, string> = {
  removed: 'members are taken out one by one',
  replaced: 'a state with nobody in it takes the place of the last one',
  with_list: 'members go with the list',
  stay: 'members stay',
  none: 'nobody had been sent',
};
const LISTS: Record<string, string> = {
  deleted: 'the list is deleted',
  kept: 'the list is kept',
  none: 'no list',
};

/** What is done at the partner of one connection, how it ended, and what stays. */
export function linesOfRemoval(
  what: string,
  { status, removal, fault }: { status: string; removal: Removal | null; fault: Fault | null },
): string[] {
  const plan = [
    MEMBERS[removal?.members ?? ''] ?? 'not known yet',
    ...(removal?.list ? [LISTS[removal.list]] : []),
  ];
  return [
    `${what} is ${status}: ${plan.join(', ')}.`,
    ...(removal?.outcome ? [`It ended: ${removal.outcome}.`] : []),
    ...(removal?.stays ?? []).map((one) => `Stays there: ${one}`),
    ...(fault ? [`Stopped by fault ${fault.id} (${fault.code}): ${fault.message}`] : []),
  ];
}
