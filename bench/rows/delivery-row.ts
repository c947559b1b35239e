import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Program } from '../process/program.js';
import { processorSeconds } from '../process/resources.js';
import { seconds, type Figure } from '../report.js';
import { withAudience, type Stocked } from './people-hub.js';

const BATCH_SIZE = 1000;
/** Rarely, because asking takes the hub's time; what counts are the times it wrote down itself. */
const POLL_MS = 500;

const LOOP_TARGET_MS = 50;
const LOOP_METRIC = 'nodejs_eventloop_lag_p99_seconds';

/** One delivery by the hub. */
interface Run {
  seconds: number;
  processorSeconds: number;
  /** 99th percentile of the time between two turns of its event loop, looked at every 10 ms. */
  loopMs: number;
}

interface Delivery {
  state: string;
  accepted: number;
  createdAt: string;
  finishedAt: string;
}

/**
 * Delivering an audience in batches of 1,000 to a sink, against a loop that posts the same bodies to it. From
 * the moment the delivery is planned to the one it is marked delivered, with everything that is written down
 * about it.
 */
export function deliveryRow(members: number, rounds: number): Promise<Figure[]> {
  return withAudience('people', members, async (stocked) => {
    const sink = Program.start('sink/sink.js');
    const loop = Program.start('floors/bare-loop.js');
    try {
      const url = await sink.ask<string>({ do: 'listen' });
      const path = join(stocked.folder, 'bodies');
      // The first delivery warms both sides up and leaves the bodies for the loop.
      await sink.ask({ do: 'record' });
      await deliver(stocked, url, 'warm-up', members);
      const bodies = await sink.ask<number>({ do: 'save', path });
      if (bodies !== Math.ceil(members / BATCH_SIZE)) throw new Error(`The sink got ${bodies} batches.`);
      const concurrency = await concurrencyOf(stocked);
      await loop.ask({ url, path, concurrency });
      const ours: Run[] = [];
      const floor: number[] = [];
      for (let round = 0; round < rounds; round += 1) {
        floor.push(await loop.ask<number>({ url, path, concurrency }));
        ours.push(await deliver(stocked, url, `round ${round}`, members));
      }
      return figuresOf(members, ours, floor);
    } finally {
      await loop.stop();
      await sink.stop();
    }
  });
}

async function concurrencyOf({ hub }: Stocked): Promise<number> {
  const { limits } = await hub.call<{ limits?: { concurrency?: number } }>('GET', '/plugins/webhook');
  return limits?.concurrency ?? 1;
}

/** Connects the audience to an output of its own and waits until it is delivered. */
async function deliver(
  { hub, workspaceId, audienceId }: Stocked,
  url: string,
  name: string,
  members: number,
): Promise<Run> {
  const output = await hub.call<{ id: string }>('POST', '/outputs', {
    workspaceId,
    plugin: 'webhook',
    name,
    settings: { url, batchSize: BATCH_SIZE },
    credentials: { secret: 'bench-secret' },
  });
  await hub.metric(LOOP_METRIC);
  const processorBefore = processorSeconds(hub.pid);
  const connection = await hub.call<{ id: string }>('POST', `/audiences/${audienceId}/connections`, {
    outputId: output.id,
    status: 'active',
  });
  for (;;) {
    await sleep(POLL_MS);
    const { items } = await hub.call<{ items: Delivery[] }>(
      'GET',
      `/connections/${connection.id}/deliveries`,
    );
    const [delivery] = items;
    if (delivery?.state === 'queued' || delivery?.state === 'running') continue;
    if (delivery?.state !== 'delivered' || delivery.accepted !== members) {
      throw new Error(`The delivery ended as ${delivery?.state} with ${delivery?.accepted} accepted.`);
    }
    return {
      seconds: (Date.parse(delivery.finishedAt) - Date.parse(delivery.createdAt)) / 1000,
      processorSeconds: processorSeconds(hub.pid) - processorBefore,
      loopMs: (await hub.metric(LOOP_METRIC)) * 1000,
    };
  }
}

function figuresOf(members: number, ours: readonly Run[], floor: readonly number[]): Figure[] {
  const ourSeconds = Math.min(...ours.map((run) => run.seconds));
  const floorSeconds = Math.min(...floor);
  const loopMs = Math.min(...ours.map((run) => run.loopMs));
  const name = `delivery ${members / 1e6} M`;
  return [
    {
      name: `${name}: rate / bare undici loop`,
      ours: seconds(ourSeconds),
      floor: seconds(floorSeconds),
      value: floorSeconds / ourSeconds,
      target: { at: 'least', value: 0.7 },
      // Measured: 0.33 on an idle machine, 0.17 on one with eight others at work. Not there yet.
      farOff: 0.12,
      detail: { ours, floor },
    },
    {
      name: `${name}: p99 of the event loop, ms`,
      ours: `${loopMs.toFixed(0)} ms`,
      floor: '',
      value: loopMs,
      target: { at: 'most', value: LOOP_TARGET_MS },
      // Measured: 21 ms on an idle machine, 156 ms on a very busy one.
      farOff: 5 * LOOP_TARGET_MS,
      detail: { ours: ours.map((run) => run.loopMs) },
    },
  ];
}
