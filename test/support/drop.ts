import { mkdir, mkdtemp, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { startTestHub, type TestHub } from './hub.js';
import { until } from './until.js';

/** A hub with one workspace, whose drop folder has IQM's layout. */
export interface Drop {
  hub: TestHub;
  workspaceId: string;
  /** Drops a file, extension included in its name, and waits for the end of its import. */
  importOf<View extends { state: string }>(file: string, content: Buffer | string): Promise<View>;
  stop(): Promise<void>;
}

const SEAT_ID = '5';
const IMPORTED_WITHIN_MS = 60_000;

/** @param settings of the workspace. */
export async function startDrop(
  settings?: Record<string, unknown>,
  environment?: Record<string, string>,
): Promise<Drop> {
  const root = await mkdtemp(join(tmpdir(), 'hub-drop-'));
  const hub = await startTestHub(environment);
  const { id: organizationId } = await hub.ok<{ id: string }>('POST', '/organizations', { name: 'Drop' });
  const workspace = { organizationId, name: 'W', seatId: SEAT_ID, ...(settings && { settings }) };
  const { id: workspaceId } = await hub.ok<{ id: string }>('POST', '/workspaces', workspace);
  const folder = { path: root, layout: 'iqm' };
  const input = { workspaceId, plugin: 'folder-drop', name: 'drop', settings: folder };
  const { id: inputId } = await hub.ok<{ id: string }>('POST', '/inputs', input);
  let writes = 0;
  return {
    hub,
    workspaceId,
    async importOf<View extends { state: string }>(file: string, content: Buffer | string) {
      const path = join(root, `onboarding/seat_id=${SEAT_ID}/files`, file);
      await mkdir(dirname(path), { recursive: true });
      await writeFile(path, content);
      // Old enough to count as whole, and another moment each time.
      const past = new Date(Date.now() - 600_000 + (writes += 1) * 1000);
      await utimes(path, past, past);
      const { queued } = await hub.ok<{ queued: string[] }>('POST', `/inputs/${inputId}/scan`);
      return until(
        `${file} is imported`,
        async () => {
          const view = await hub.ok<View>('GET', `/imports/${queued[0]}`);
          return ['queued', 'running'].includes(view.state) ? undefined : view;
        },
        IMPORTED_WITHIN_MS,
      );
    },
    async stop() {
      await hub.stop();
      await rm(root, { recursive: true, force: true });
    },
  };
}
