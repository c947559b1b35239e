import { setTimeout as sleep } from 'node:timers/promises';
import { EXIT, type ExitCode } from '../cli-error.js';
import type { Session } from './command.js';

export interface DisconnectOptions {
  force?: boolean;
  wait?: boolean;
}

interface Connection {
  id: string;
  audienceName: string;
  outputName: string;
  status: string;
  openFault: { id: string; code: string; message: string } | null;
  lastDelivery: { accepted: number; rejected: number } | null;
  removal: { members: string | null; list: string | null; outcome: string | null; stays: string[] } | null;
}

const LOOK_EVERY_MS = 1000;

/** `hub disconnect CONNECTION`: deletes it, and says what becomes of what it had sent. */
export async function disconnect(
  { client, screen }: Session,
  connectionId: string,
  { force = false, wait = false }: DisconnectOptions,
): Promise<ExitCode> {
  const path = `/connections/${encodeURIComponent(connectionId)}`;
  let seen = await client.delete<Connection>(`${path}${force ? '?force=true' : ''}`);
  if (wait) seen = await atItsEnd(seen, () => client.get<Connection>(path));
  screen.result(seen, linesOf(seen));
  const isBad = seen.openFault !== null || ['stays', 'given_up'].includes(seen.removal?.outcome ?? '');
  return isBad ? EXIT.bad : EXIT.done;
}

/** Looks until it is removed, or stopped by a fault. */
async function atItsEnd(first: Connection, look: () => Promise<Connection>): Promise<Connection> {
  let seen = first;
  while (seen.status === 'removing' && seen.openFault === null) {
    await sleep(LOOK_EVERY_MS);
    seen = await look();
  }
  return seen;
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

function linesOf({ id, audienceName, outputName, status, openFault, removal }: Connection): string[] {
  const plan = [
    MEMBERS[removal?.members ?? ''] ?? 'not known yet',
    ...(removal?.list ? [LISTS[removal.list]] : []),
  ];
  return [
    `Connection ${id} of ${audienceName} to ${outputName} is ${status}: ${plan.join(', ')}.`,
    ...(removal?.outcome ? [`It ended: ${removal.outcome}.`] : []),
    ...(removal?.stays ?? []).map((what) => `Stays there: ${what}`),
    ...(openFault ? [`Stopped by fault ${openFault.id} (${openFault.code}): ${openFault.message}`] : []),
  ];
}
