import { setTimeout as sleep } from 'node:timers/promises';
import { EXIT, type ExitCode } from '../cli-error.js';
import type { Session } from './command.js';
import { isUnwell, linesOfRemoval, type Fault, type Removal } from './removal-lines.js';

export interface DisconnectOptions {
  force?: boolean;
  wait?: boolean;
}

interface Connection {
  id: string;
  audienceName: string;
  outputName: string;
  status: string;
  openFault: Fault | null;
  removal: Removal | null;
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
  return isUnwell(seen.removal, seen.openFault) ? EXIT.bad : EXIT.done;
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

function linesOf({ id, audienceName, outputName, status, openFault, removal }: Connection): string[] {
  const what = `Connection ${id} of ${audienceName} to ${outputName}`;
  return linesOfRemoval(what, { status, removal, fault: openFault });
}
