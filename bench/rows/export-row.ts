import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readZip } from '../../test/support/read-zip.js';
import { zipFile, type Zipped } from '../floors/zip.js';
import { forgetPeak, memoryBytes, peakMemoryBytes } from '../process/resources.js';
import { ending } from '../process/tenant.js';
import { mib, seconds, type Figure } from '../report.js';
import { withAudience, type Stocked } from './people-hub.js';

/** By how much an export may raise the hub's resident memory, whatever its size: a few parts and their queries. */
const GROWTH_TARGET_MIB = 256;

interface Made {
  id: string;
  seconds: number;
  /** Highest resident memory above what it was before. */
  growthBytes: number;
}

/** Exporting an audience with one identity a member, against `zip` of the same CSV at the same level. */
export function exportRow(members: number, rounds: number): Promise<Figure[]> {
  return withAudience('ids', members, async (stocked) => {
    const csv = await csvOf(stocked, await makeExport(stocked), members);
    const ours: Made[] = [];
    const floor: Zipped[] = [];
    for (let round = 0; round < rounds; round += 1) {
      floor.push(await zipFile(csv));
      ours.push(await makeExport(stocked));
    }
    return figuresOf(members, ours, floor);
  });
}

async function makeExport({ hub, audienceId }: Stocked): Promise<Made> {
  const before = memoryBytes(hub.pid);
  forgetPeak(hub.pid);
  const { id } = await hub.call<{ id: string }>('POST', '/exports', {
    audienceIds: [audienceId],
    identityTypes: ['customer_id'],
  });
  const ended = await ending<{ state: string; createdAt: string; finishedAt: string }>(
    hub,
    `/exports/${id}`,
    ['queued', 'running'],
  );
  if (ended.state !== 'ready') throw new Error(`The export ended as ${ended.state}.`);
  return {
    id,
    seconds: (Date.parse(ended.finishedAt) - Date.parse(ended.createdAt)) / 1000,
    growthBytes: peakMemoryBytes(hub.pid) - before,
  };
}

/** The CSV of an archive as a file of its own: what zip has to compress. */
async function csvOf({ hub, folder }: Stocked, { id }: Made, members: number): Promise<string> {
  const entries = readZip(await hub.download(`/exports/${id}/download`));
  const csv = [...entries].find(([name]) => name.endsWith('.csv'))?.[1];
  if (csv === undefined) throw new Error('The archive holds no CSV.');
  const lines = csv.reduce((count, byte) => (byte === 10 ? count + 1 : count), 0);
  if (lines !== members + 1) throw new Error(`The CSV has ${lines} lines: the figures mean nothing.`);
  const path = join(folder, 'export.csv');
  await writeFile(path, csv);
  return path;
}

function figuresOf(members: number, ours: readonly Made[], floor: readonly Zipped[]): Figure[] {
  const ourSeconds = Math.min(...ours.map((run) => run.seconds));
  const floorSeconds = Math.min(...floor.map((run) => run.seconds));
  const growthMib = Math.max(...ours.map((run) => run.growthBytes)) / 2 ** 20;
  return [
    {
      name: `export ${members / 1e6} M / ${floor[0]?.by ?? 'zip'} of the same CSV`,
      ours: seconds(ourSeconds),
      floor: seconds(floorSeconds),
      value: ourSeconds / floorSeconds,
      target: { at: 'most', value: 1.5 },
      detail: { ours, floor },
    },
    {
      name: `export ${members / 1e6} M: growth of memory, MiB`,
      ours: mib(growthMib * 2 ** 20),
      floor: '',
      value: growthMib,
      target: { at: 'most', value: GROWTH_TARGET_MIB },
    },
  ];
}
