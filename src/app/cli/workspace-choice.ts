import { CliError, EXIT } from './cli-error.js';
import type { HubClient } from './hub-client.js';

export interface Workspace {
  id: string;
  name: string;
  seatId: string;
}

/** The workspace that people name by its id, its seat id or its name. */
export async function chooseWorkspace(client: HubClient, wanted: string): Promise<Workspace> {
  const all: Workspace[] = [];
  for await (const workspace of client.all<Workspace>('/workspaces')) all.push(workspace);
  for (const field of ['id', 'seatId', 'name'] as const) {
    const found = all.filter((workspace) => workspace[field] === wanted);
    if (found.length === 1 && found[0]) return found[0];
    if (found.length > 1) {
      const ids = found.map(({ id, name }) => `${id}  ${name}`);
      throw new CliError(`Several workspaces are called ${wanted}. Give the id.`, EXIT.usage, undefined, ids);
    }
  }
  const lines = all.map(({ id, name, seatId }) => `${id}  ${name} (seat ${seatId})`);
  const message = `There is no workspace ${wanted} that this key may see. ${lines.length > 0 ? 'These are:' : ''}`;
  throw new CliError(message.trim(), EXIT.refused, 'NOT_FOUND', lines);
}
