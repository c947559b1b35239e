import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ReadRequest } from '../floors/engine-read.js';
import { writeFiles } from '../inputs/files.js';
import { writeWorkbook } from '../inputs/workbook.js';
import { BenchHub } from '../process/hub.js';
import { Program } from '../process/program.js';
import { bytesOf, importEnded, makeUploader, sendByIqm } from '../process/upload.js';
import { seconds, type Figure } from '../report.js';

/** How much longer than the engine's read of the same rows, by what the file is. Measured on two idle cores. */
const TARGETS = {
  csv: { received: 8, imported: 25 },
  xlsx: { received: 4, imported: 60 },
} as const;

interface Run {
  receivedSeconds: number;
  importedSeconds: number;
}

/** Uploads of `rows` people by IQM's API, against the engine's own read of the same rows as a CSV. */
export async function uploadRow(
  format: keyof typeof TARGETS,
  rows: number,
  rounds: number,
): Promise<Figure[]> {
  const folder = await mkdtemp(join(tmpdir(), 'hub-bench-'));
  try {
    const csv = join(folder, 'people.csv');
    await writeFiles([{ kind: 'people', path: csv, first: 0, count: rows }]);
    const path = format === 'csv' ? csv : join(folder, 'people.xlsx');
    if (format === 'xlsx') await writeWorkbook(path, rows);
    const ours: Run[] = [];
    const floor: number[] = [];
    for (let round = 0; round < rounds; round += 1) {
      floor.push(await engineRead(csv));
      ours.push(await hubRound(join(folder, `hub-${round}`), path, rows));
    }
    return figuresOf(format, `${rows / 1e6} M`, ours, floor);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function engineRead(path: string): Promise<number> {
  const program = Program.start('floors/engine-read.js');
  try {
    const request: ReadRequest = { path };
    return await program.ask<number>(request);
  } finally {
    await program.stop();
  }
}

async function hubRound(folder: string, path: string, rows: number): Promise<Run> {
  const hub = await BenchHub.start(folder);
  try {
    const uploader = await makeUploader(hub);
    const beganMs = Date.now();
    const answer = await sendByIqm(hub, uploader, bytesOf(path), rows);
    const receivedSeconds = (Date.now() - beganMs) / 1000;
    if (answer.status !== 200) throw new Error(`The upload was answered with ${answer.body}`);
    const ended = await importEnded(hub);
    if (ended.added !== rows) throw new Error(`The import added ${ended.added}: the figures mean nothing.`);
    return { receivedSeconds, importedSeconds: (Date.parse(ended.finishedAt) - beganMs) / 1000 };
  } finally {
    await hub.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

function figuresOf(
  format: keyof typeof TARGETS,
  size: string,
  ours: readonly Run[],
  floor: readonly number[],
): Figure[] {
  const floorSeconds = Math.min(...floor);
  return (['received', 'imported'] as const).map((what): Figure => {
    const ourSeconds = Math.min(...ours.map((run) => run[`${what}Seconds`]));
    const target = TARGETS[format][what];
    return {
      name: `upload ${format.toUpperCase()} ${size}, ${what} / engine's read`,
      ours: seconds(ourSeconds),
      floor: seconds(floorSeconds),
      value: ourSeconds / floorSeconds,
      target: { at: 'most', value: target },
      // A small file is read in a twentieth of a second; the fixed costs of an import are many times that.
      farOff: 8 * target,
      detail: { ours, floor },
    };
  });
}
