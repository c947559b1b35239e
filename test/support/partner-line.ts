import { z } from 'zod';
import {
  defineOutput,
  fault,
  type Batch,
  type BatchResult,
  type HttpClient,
  type HttpResponse,
  type OutputMember,
} from '../../src/kit/index.js';
import {
  PartnerCalls,
  type CallPacing,
  type PartnerLine,
  type RateBudget,
} from '../../src/host/outputs/index.js';
import { silentLogger } from '../../src/platform/log/index.js';

export const PACING: CallPacing = {
  callTimeoutMs: 100,
  pollLimitMs: 200,
  jobLimitMs: 60_000,
  minPollMs: 1,
  maxPollMs: 5,
};
export const SHIPMENT = {
  audience: { externalId: 'list-1', name: 'Spring buyers' },
  operation: 'add',
  fromVersion: 3,
  toVersion: 4,
} as const;

export const members = (count: number): OutputMember[] =>
  Array.from({ length: count }, (_, index) => ({
    mpid: String(index),
    identities: { email: [`p${index}@example.com`] },
  }));

const stops: AbortController[] = [];

/** Ends what is still under way; after each test. */
export const stopPartners = () => stops.splice(0).forEach((stop) => stop.abort());

/** A partner in a few lines, behind real calls. */
export function partner(
  add: (batch: Batch, signal: AbortSignal, http: HttpClient) => Promise<BatchResult> | BatchResult,
  poll?: () => Promise<BatchResult>,
  budget?: RateBudget,
) {
  const batches: Batch[] = [];
  const connector = defineOutput({
    id: 'acme-ads',
    name: 'Acme',
    description: 'For this spec.',
    version: '1.0.0',
    settings: z.object({}),
    credentials: z.object({}),
    connectionSettings: z.object({}),
    identities: [{ type: 'email', encoding: 'raw' }],
    limits: { batchSize: 1000 },
    check: async () => undefined,
    audience: {
      async add(ctx, _, batch) {
        batches.push(batch);
        return add(batch, ctx.signal, ctx.http);
      },
      ...(poll ? { poll } : {}),
    },
  });
  const stop = new AbortController();
  stops.push(stop);
  const line: PartnerLine = {
    connectionId: 'connection-1',
    connector,
    limits: connector.limits,
    secrets: ['s3cr3t/value'],
    ...(budget ? { budget } : {}),
    context: (signal) => ({
      settings: {},
      credentials: {},
      connection: {},
      connectionId: 'connection-1',
      runId: 'run-1',
      http: { request: () => Promise.resolve(ANSWER) },
      connect: () => Promise.reject(new Error('not used')),
      destination: () => {
        throw new Error('not used');
      },
      log: { info: () => undefined, warn: () => undefined },
      signal,
      now: () => new Date(0),
    }),
  };
  return { batches, stop, calls: new PartnerCalls(line, stop.signal, silentLogger(), { pacing: PACING }) };
}

/** A partner that refuses every batch with somebody of {@link members} for whose index `isBad`. */
export const refusing = (isBad: (index: number) => boolean) =>
  partner((batch) => {
    if (batch.members.some(({ mpid }) => isBad(Number(mpid)))) throw refuse();
    return DONE;
  });

const ANSWER: HttpResponse = {
  status: 204,
  headers: {},
  text: '',
  json: () => undefined,
};
export const REQUEST = { method: 'POST', url: 'https://partner.example.com' } as const;
export const DONE: BatchResult = { status: 'done', rejected: [] };
export const PENDING = { status: 'pending', jobId: 'job-1', pollAfterMs: 0 } as const;
export const refuse = () => fault.permanent('BAD_ROW', 'A row is not valid.');
