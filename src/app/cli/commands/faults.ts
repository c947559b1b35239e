import { EXIT, type ExitCode } from '../cli-error.js';
import type { Session } from './command.js';

interface Fault {
  id: string;
  audienceId: number;
  connectionId: string;
  kind: string;
  code: string;
  message: string;
  whoActs: string;
  raisedAt: string;
  resolvedAt: string | null;
  resolvedBy: string | null;
}

/** `hub faults`: the open ones, or all of them. */
export async function listFaults({ client, screen }: Session, options: { all?: boolean }): Promise<ExitCode> {
  const faults: Fault[] = [];
  for await (const fault of client.all<Fault>('/faults', { open: options.all ? undefined : 'true' })) {
    faults.push(fault);
  }
  const lines = faults.flatMap((fault) => [
    `${fault.id}  ${fault.kind} ${fault.code}, audience ${fault.audienceId}, since ${fault.raisedAt}`,
    `  ${fault.message}`,
    fault.resolvedAt ? `  Resolved ${fault.resolvedAt} by ${fault.resolvedBy}.` : `  ${fault.whoActs}`,
  ]);
  screen.result(faults, lines.length > 0 ? lines : ['There are no open faults.']);
  return EXIT.done;
}

/** `hub resume FAULT` */
export async function resumeFault({ client, screen }: Session, id: string): Promise<ExitCode> {
  const fault = await client.post<Fault>(`/faults/${encodeURIComponent(id)}/resume`);
  screen.result(fault, [
    `Fault ${fault.id} is resolved. Connection ${fault.connectionId} goes on from where it stopped.`,
  ]);
  return EXIT.done;
}
