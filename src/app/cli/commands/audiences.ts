import { EXIT, type ExitCode } from '../cli-error.js';
import { table } from '../screen.js';
import { chooseWorkspace } from '../workspace-choice.js';
import type { Session } from './command.js';

export interface AudiencesOptions {
  workspace?: string;
  search?: string;
  sort?: string;
  tag?: string[];
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
  abTest: boolean;
  tags: string[];
}

/** `hub audiences` */
export async function listAudiences(session: Session, options: AudiencesOptions): Promise<ExitCode> {
  const { client, screen } = session;
  const { search, sort, tag } = options;
  const tags = tag?.join(',');
  const workspaceId = options.workspace && (await chooseWorkspace(client, options.workspace)).id;
  const audiences: Audience[] = [];
  for await (const one of client.all<Audience>('/audiences', { workspaceId, search, sort, tags }))
    audiences.push(one);
  const headers = [
    'id',
    'name',
    'size',
    '+24h',
    '-24h',
    'version',
    'status',
    'outputs',
    'marks',
    'faults',
    'tags',
  ];
  const rows = audiences.map((audience) => [
    audience.id,
    audience.name,
    audience.size,
    audience.addsLast24h,
    audience.dropsLast24h,
    audience.version,
    audience.status,
    audience.connectedOutputs.count,
    marksOf(audience),
    audience.openFaults,
    audience.tags.join(', '),
  ]);
  screen.result(audiences, rows.length > 0 ? table(headers, rows) : ['There are no audiences.']);
  return EXIT.done;
}

/** `%`: it has an A/B test; `!`: one of its connections is faulted. */
function marksOf({ abTest, openFaults }: Audience): string {
  return `${abTest ? '%' : ''}${openFaults > 0 ? '!' : ''}`;
}
