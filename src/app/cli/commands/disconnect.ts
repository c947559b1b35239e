import { EXIT, type ExitCode } from '../cli-error.js';
import type { Session } from './command.js';
import { lookWhile } from './look-while.js';
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

/** `hub disconnect CONNECTION`: deletes it, and says what becomes of what it had sent. */
export async function disconnect(
  { client, screen }: Session,
  connectionId: string,
  { force = false, wait = false }: DisconnectOptions,
): Promise<ExitCode> {
  const path = `/connections/${encodeURIComponent(connectionId)}`;
  const first = await client.delete<Connection>(`${path}${force ? '?force=true' : ''}`);
  const seen = wait ? await lookWhile(first, () => client.get<Connection>(path), isUnderWay) : first;
  screen.result(seen, linesOf(seen));
  return isUnwell(seen.removal, seen.openFault) ? EXIT.bad : EXIT.done;
}

/** Until it is removed, or stopped by a fault. */
function isUnderWay({ status, openFault }: Connection): boolean {
  return status === 'removing' && openFault === null;
}

function linesOf({ id, audienceName, outputName, status, openFault, removal }: Connection): string[] {
  const what = `Connection ${id} of ${audienceName} to ${outputName}`;
  return linesOfRemoval(what, { status, removal, fault: openFault });
}
