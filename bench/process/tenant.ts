import { setTimeout as sleep } from 'node:timers/promises';
import type { BenchHub } from './hub.js';

/** Rarely: asking takes the hub's time, and what counts are the times it wrote down itself. */
const POLL_MS = 200;

/** How an import ended. */
export interface EndedImport {
  state: string;
  audienceId: number | null;
  added: number | null;
  removed: number | null;
  startedAt: string;
  finishedAt: string;
  error: { code: string; message: string } | null;
}

/** A workspace with one input. */
export interface Tenant {
  workspaceId: string;
  inputId: string;
}

/** What an input is made of: plugin, settings and, where it has them, credentials. */
export interface InputParts {
  plugin: string;
  settings: object;
  credentials?: object;
}

/** A folder drop that takes files as soon as they are there. */
export function folderDrop(path: string, layout: 'iqm' | 'repro'): InputParts {
  return { plugin: 'folder-drop', settings: { path, layout, stableForMs: 0 } };
}

/** Makes an organization, a workspace and an input. */
export async function makeTenant(hub: BenchHub, input: InputParts, seatId = 'bench'): Promise<Tenant> {
  const organization = await hub.call<{ id: string }>('POST', '/organizations', { name: 'Bench' });
  const workspace = await hub.call<{ id: string }>('POST', '/workspaces', {
    organizationId: organization.id,
    name: 'Bench',
    seatId,
  });
  const made = await hub.call<{ id: string }>('POST', '/inputs', {
    workspaceId: workspace.id,
    name: 'Drop',
    onUnknown: 'create',
    ...input,
  });
  return { workspaceId: workspace.id, inputId: made.id };
}

/** Scans the input and waits until the one import that it queues is published. */
export async function importOnce(hub: BenchHub, tenant: Tenant): Promise<EndedImport> {
  const { queued } = await hub.call<{ queued: string[] }>('POST', `/inputs/${tenant.inputId}/scan`);
  const [id] = queued;
  if (id === undefined) throw new Error('The scan found no new file.');
  const ended = await ending<EndedImport>(hub, `/imports/${id}`, ['queued', 'running']);
  if (ended.state !== 'published') {
    throw new Error(`The import ended as ${ended.state}: ${ended.error?.message ?? 'no reason given'}`);
  }
  return ended;
}

/** Asks until the state is none of `underWay`. */
export async function ending<View extends { state: string }>(
  hub: BenchHub,
  path: string,
  underWay: readonly string[],
): Promise<View> {
  for (;;) {
    const view = await hub.call<View>('GET', path);
    if (!underWay.includes(view.state)) return view;
    await sleep(POLL_MS);
  }
}
