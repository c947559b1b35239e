import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeFiles } from '../inputs/files.js';
import type { GenerateRequest } from '../inputs/generate.js';
import { BenchHub } from '../process/hub.js';
import { folderDrop, importOnce, makeTenant } from '../process/tenant.js';

/** A hub that has imported one audience. */
export interface Stocked {
  hub: BenchHub;
  workspaceId: string;
  audienceId: number;
  /** Scratch folder of the row. */
  folder: string;
}

/** Runs `work` on a hub with an audience of `count` members, and clears everything away after it. */
export async function withAudience<T>(
  kind: GenerateRequest['kind'],
  count: number,
  work: (stocked: Stocked) => Promise<T>,
): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'hub-bench-'));
  const layout = kind === 'ids' ? 'repro' : 'iqm';
  const drop = join(folder, 'drop');
  const place = layout === 'repro' ? drop : join(drop, 'onboarding', 'seat_id=bench', 'bench');
  let hub: BenchHub | undefined;
  try {
    await mkdir(place, { recursive: true });
    await writeFiles([{ kind, path: join(place, 'audience.csv'), first: 0, count }]);
    hub = await BenchHub.start(join(folder, 'data'));
    const tenant = await makeTenant(hub, folderDrop(drop, layout));
    const { audienceId } = await importOnce(hub, tenant);
    if (audienceId === null) throw new Error('The import made no audience.');
    return await work({ hub, workspaceId: tenant.workspaceId, audienceId, folder });
  } finally {
    await hub?.stop();
    await rm(folder, { recursive: true, force: true });
  }
}
