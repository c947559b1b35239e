import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { writeFiles } from '../inputs/files.js';
import { HealthWatch } from '../process/health-watch.js';
import { BenchHub } from '../process/hub.js';
import { forgetPeak, memoryBytes, peakMemoryBytes } from '../process/resources.js';
import {
  beginTus,
  bytesOf,
  importEnded,
  makeUploader,
  sendByIqm,
  sendByTus,
  type UploadAnswer,
  type Uploader,
} from '../process/upload.js';
import { mib, seconds, type Figure } from '../report.js';

const RECORDS = 5_000_000;
const GIB = 2 ** 30;
/** What an upload may take over the idle hub, and an import at its peak. */
const UPLOAD_MIB = 300;
const IMPORT_GIB = 2.5;
const HEALTH_MS = 100;
/** What is on its way, between the sender and the hub, when the answer comes. */
const IN_FLIGHT_MIB = 16;
/** An idle hub comes to rest. */
const REST_MS = 3000;

type Way = 'IQM' | 'tus';

/**
 * A file of a gigabyte and five million records by both ways in: memory, whether the hub answers meanwhile, and
 * whether one byte or one record more is refused while it comes.
 */
export async function largeUploadRow(): Promise<Figure[]> {
  const folder = await mkdtemp(join(tmpdir(), 'hub-bench-'));
  const path = join(folder, 'people.csv');
  await writeFiles([{ kind: 'wide', path, first: 0, count: RECORDS }]);
  const figures: Figure[] = [];
  let hub: BenchHub | undefined;
  try {
    for (const way of ['IQM', 'tus'] as const) {
      hub = await BenchHub.start(join(folder, way));
      const uploader = await makeUploader(hub);
      figures.push(...(await wholeFile(way, hub, uploader, path)));
      figures.push(...(await refusals(way, hub, uploader)));
      await hub.stop();
    }
    return figures;
  } finally {
    await hub?.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

async function wholeFile(way: Way, hub: BenchHub, uploader: Uploader, path: string): Promise<Figure[]> {
  const { size } = await stat(path);
  await sleep(REST_MS);
  const idleBytes = memoryBytes(hub.pid);
  forgetPeak(hub.pid);
  const health = new HealthWatch(hub.url);
  const beganMs = performance.now();
  const answer =
    way === 'IQM'
      ? await sendByIqm(hub, uploader, bytesOf(path), RECORDS)
      : await sendByTus(await beginTus(hub, uploader, size), uploader, bytesOf(path));
  const uploadSeconds = (performance.now() - beganMs) / 1000;
  const uploadPeakBytes = peakMemoryBytes(hub.pid);
  const uploadHealthMs = await health.stop();
  if (answer.status >= 300) throw new Error(`The upload was answered with ${answer.body}`);
  forgetPeak(hub.pid);
  const importHealth = new HealthWatch(hub.url);
  const ended = await importEnded(hub);
  const importHealthMs = await importHealth.stop();
  if (ended.added !== RECORDS) throw new Error(`The import added ${ended.added}: the figures mean nothing.`);
  const importSeconds = (Date.parse(ended.finishedAt) - Date.parse(ended.startedAt)) / 1000;
  const name = `${way}, ${mib(size)} of 5 M records`;
  return [
    figure(
      `${name}: upload in ${seconds(uploadSeconds)}, MiB over idle`,
      (uploadPeakBytes - idleBytes) / 2 ** 20,
      UPLOAD_MIB,
    ),
    figure(`${name}: upload, p99 of GET /health, ms`, uploadHealthMs, HEALTH_MS),
    figure(
      `${name}: import in ${seconds(importSeconds)}, peak GiB`,
      peakMemoryBytes(hub.pid) / GIB,
      IMPORT_GIB,
    ),
    figure(`${name}: import, p99 of GET /health, ms`, importHealthMs, HEALTH_MS),
  ];
}

/** How much more than the limit was sent before the refusal came, from a sender that would never end. */
async function refusals(way: Way, hub: BenchHub, uploader: Uploader): Promise<Figure[]> {
  const record = Buffer.from('person-00000001@example.com\n'.repeat(8192));
  const wide = Buffer.alloc(2 ** 18, 'x');
  wide[wide.length - 1] = 0x0a;
  const recordBytes = (record.length / 8192) * (RECORDS + 1);
  const send = async (chunk: Buffer): Promise<UploadAnswer> => {
    const chunks = endless(chunk);
    if (way === 'IQM') return sendByIqm(hub, uploader, chunks, RECORDS);
    return sendByTus(await beginTus(hub, uploader, undefined), uploader, chunks);
  };
  const figures: Figure[] = [];
  for (const [what, chunk, limitBytes, status] of [
    ['bytes', wide, GIB, 413],
    ['records', record, recordBytes, 400],
  ] as const) {
    const answer = await send(chunk);
    if (answer.status !== status) throw new Error(`Too many ${what} were answered with ${answer.body}`);
    const beyondBytes = answer.sentBytes - limitBytes;
    if (beyondBytes < 0) throw new Error(`Refused ${-beyondBytes} bytes before the limit.`);
    figures.push(
      figure(`${way}: too many ${what}, MiB sent beyond the limit`, beyondBytes / 2 ** 20, IN_FLIGHT_MIB),
    );
  }
  return figures;
}

function* endless(chunk: Buffer): Generator<Buffer> {
  for (;;) yield chunk;
}

function figure(name: string, value: number, most: number): Figure {
  return { name, ours: value.toFixed(1), floor: '', value, target: { at: 'most', value: most } };
}
