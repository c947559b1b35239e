import { EXIT, type ExitCode } from '../cli-error.js';
import { table } from '../screen.js';
import { chooseWorkspace } from '../workspace-choice.js';
import type { Session } from './command.js';

export interface AudiencesOptions {
  workspace?: string;
  search?: string;
  sort?: string;
}

interface Audience {
  id: number;
  name: string;
  size: number;
  addsLast24h: number;
  dropsLast24h: number;
  version: number;
  status: string;
  connectedOutputs: { count: number };
  openFaults: number;
}

/** `hub audiences` */
export async function listAudiences(session: Session, options: AudiencesOptions): Promise<ExitCode> {
  const { client, screen } = session;
  const { search, sort } = options;
  const workspaceId = options.workspace && (await chooseWorkspace(client, options.workspace)).id;
  const audiences: Audience[] = [];
  for await (const one of client.all<Audience>('/audiences', { workspaceId, search, sort }))
    audiences.push(one);
  const headers = ['id', 'name', 'size', '+24h', '-24h', 'version', 'status', 'outputs', 'faults'];
  const rows = audiences.map((audience) => [
    audience.id,
    audience.name,
    audience.size,
    audience.addsLast24h,
    audience.dropsLast24h,
    audience.version,
    audience.status,
    audience.connectedOutputs.count,
    audience.openFaults,
  ]);
  screen.result(audiences, rows.length > 0 ? table(headers, rows) : ['There are no audiences.']);
  return EXIT.done;
}
