import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeFiles } from '../inputs/files.js';
import type { GenerateRequest } from '../inputs/generate.js';
import { BenchHub } from '../process/hub.js';
import { folderDrop, importOnce, makeTenant, type Tenant } from '../process/tenant.js';

/** A hub that has imported one audience. */
export interface Stocked {
  hub: BenchHub;
  workspaceId: string;
  audienceId: number;
  /** Scratch folder of the row. */
  folder: string;
}

/** A hub to which a file was offered. */
interface Offered {
  hub: BenchHub;
  tenant: Tenant;
  folder: string;
}

/** Runs `work` on a hub that has imported an audience of `count` members, and clears everything away after it. */
export function withAudience<T>(
  kind: GenerateRequest['kind'],
  count: number,
  work: (stocked: Stocked) => Promise<T>,
): Promise<T> {
  return withFile(kind, count, async ({ hub, tenant, folder }) => {
    const { audienceId } = await importOnce(hub, tenant);
    if (audienceId === null) throw new Error('The import made no audience.');
    return work({ hub, workspaceId: tenant.workspaceId, audienceId, folder });
  });
}

/** Runs `work` on a hub that has a file of `count` lines to import, and clears everything away after it. */
export async function withFile<T>(
  kind: GenerateRequest['kind'],
  count: number,
  work: (offered: Offered) => Promise<T>,
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
    return await work({ hub, tenant, folder });
  } finally {
    await hub?.stop();
    await rm(folder, { recursive: true, force: true });
  }
}
