import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Program } from '../process/program.js';
import { processorSeconds } from '../process/resources.js';
import { seconds, type Figure } from '../report.js';
import type { GenerateRequest } from '../inputs/generate.js';
import type { SinkKind } from '../sink/sink.js';
import { withAudience, type Stocked } from './people-hub.js';

/** Once, if all goes well: asking takes the hub's time, and what counts are the times it wrote down itself. */
const POLL_MS = 1500;

const LOOP_TARGET_MS = 50;
const LOOP_METRIC = 'nodejs_eventloop_lag_p99_seconds';

/** A plugin that delivers, and what is expected of it. */
interface Deliverer {
  name: string;
  plugin: string;
  sink: SinkKind;
  people: GenerateRequest['kind'];
  batchSize: number;
  settings: (url: string) => object;
  credentials: object;
  /** Where the plugin posts members. */
  path: string;
  target: number;
  /** Below it something is wrong, whatever else the machine does. */
  farOff: number;
  /** Above it something is wrong with the event loop. */
  farOffLoopMs: number;
}

/** In batches of 1,000, as JSON of the hub's own. */
export const WEBHOOK: Deliverer = {
  name: 'delivery',
  plugin: 'webhook',
  sink: 'webhook',
  people: 'people',
  batchSize: 1000,
  settings: (url) => ({ url: `${url}/`, batchSize: 1000 }),
  credentials: { secret: 'bench-secret' },
  path: '/',
  target: 0.8,
  // Measured: 0.80 to 0.85 on a machine of two slower cores, 0.74 to 0.77 on ones of two faster ones, where the loop takes two
  // thirds of the time; 0.17 on one with eight others at work. A tenth of the time goes before the first batch and behind the
  // last one; the rest of what is missing is the engine, which reads beside hub and sink, and pages that come in between.
  farOff: 0.12,
  // Measured: 21 ms on an idle machine, 156 ms on a very busy one.
  farOffLoopMs: 250,
};

/** In batches of 10,000 rows with SHA-256 of five fields each: e-mail, first and last name, ZIP and state. */
export const META: Deliverer = {
  name: 'delivery to Meta',
  plugin: 'meta-custom-audiences',
  sink: 'meta',
  people: 'leads',
  batchSize: 10_000,
  settings: (url) => ({ adAccountId: '1', identifiers: ['email', 'name'], endpoint: url }),
  credentials: { accessToken: 'bench-token' },
  path: '/v25.0/1/users',
  target: 0.6,
  // Measured: 0.62 to 0.73 and 18 to 20 ms on an idle machine of two cores; before, 0.06 and 408 ms on a very busy one. Hub,
  // engine and sink have both processors busy all the time.
  farOff: 0.03,
  farOffLoopMs: 800,
};

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
 * Delivering an audience in batches to a sink, against a loop that posts the same bodies to it. From
 * the moment the delivery is planned to the one it is marked delivered, with everything that is written down
 * about it.
 */
export function deliveryRow(by: Deliverer, members: number, rounds: number): Promise<Figure[]> {
  return withAudience(by.people, members, async (stocked) => {
    const sink = Program.start('sink/sink.js');
    const loop = Program.start('floors/bare-loop.js');
    try {
      const base = await sink.ask<string>({ do: 'listen', as: by.sink });
      const url = `${base}${by.path}`;
      const path = join(stocked.folder, 'bodies');
      // The first delivery warms both sides up and leaves the bodies for the loop.
      await sink.ask({ do: 'record' });
      await deliver(stocked, by, base, 'warm-up', members);
      const bodies = await sink.ask<number>({ do: 'save', path });
      if (bodies !== Math.ceil(members / by.batchSize)) throw new Error(`The sink got ${bodies} batches.`);
      const concurrency = await concurrencyOf(stocked, by);
      await loop.ask({ url, path, concurrency });
      const ours: Run[] = [];
      const floor: number[] = [];
      for (let round = 0; round < rounds; round += 1) {
        floor.push(await loop.ask<number>({ url, path, concurrency }));
        ours.push(await deliver(stocked, by, base, `round ${round}`, members));
      }
      return figuresOf(by, members, ours, floor);
    } finally {
      await loop.stop();
      await sink.stop();
    }
  });
}

async function concurrencyOf({ hub }: Stocked, { plugin }: Deliverer): Promise<number> {
  const { limits } = await hub.call<{ limits?: { concurrency?: number } }>('GET', `/plugins/${plugin}`);
  return limits?.concurrency ?? 1;
}

/** Connects the audience to an output of its own and waits until it is delivered. */
async function deliver(
  { hub, workspaceId, audienceId }: Stocked,
  { plugin, settings, credentials }: Deliverer,
  url: string,
  name: string,
  members: number,
): Promise<Run> {
  const output = await hub.call<{ id: string }>('POST', '/outputs', {
    workspaceId,
    plugin,
    name,
    settings: settings(url),
    credentials,
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

function figuresOf(by: Deliverer, members: number, ours: readonly Run[], floor: readonly number[]): Figure[] {
  const ourSeconds = Math.min(...ours.map((run) => run.seconds));
  const floorSeconds = Math.min(...floor);
  const loopMs = Math.min(...ours.map((run) => run.loopMs));
  const name = `${by.name} ${members / 1e6} M`;
  return [
    {
      name: `${name}: rate / bare undici loop`,
      ours: seconds(ourSeconds),
      floor: seconds(floorSeconds),
      value: floorSeconds / ourSeconds,
      target: { at: 'least', value: by.target },
      farOff: by.farOff,
      detail: { ours, floor },
    },
    {
      name: `${name}: p99 of the event loop, ms`,
      ours: `${loopMs.toFixed(0)} ms`,
      floor: '',
      value: loopMs,
      target: { at: 'most', value: LOOP_TARGET_MS },
      farOff: by.farOffLoopMs,
      detail: { ours: ours.map((run) => run.loopMs) },
    },
  ];
}
