import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { defineOutput } from '../src/kit/index.js';
import { DeliveryRig } from './support/delivery-rig.js';

let whileMaking: () => Promise<void> = () => Promise.resolve();
let whileSending: () => Promise<void> = () => Promise.resolve();
const sent: number[] = [];
const ids: string[] = [];

const partner = defineOutput({
  id: 'slow-partner',
  name: 'Slow partner',
  description: 'For specs: takes its time to make a list.',
  version: '1.0.0',
  settings: z.object({}),
  credentials: z.object({}),
  connectionSettings: z.object({}),
  identities: [{ type: 'email', encoding: 'raw' }],
  limits: { batchSize: 3 },
  check: () => Promise.resolve(),
  audience: {
    create: async (_, { name }) => {
      await whileMaking();
      return { externalId: name };
    },
    add: async (_, __, { id, size }) => {
      sent.push(size);
      ids.push(id);
      await whileSending();
      return { status: 'done', rejected: [] };
    },
  },
});

describe('a process whose lease was taken over while the partner made the list', () => {
  let rig: DeliveryRig;
  beforeAll(async () => {
    rig = await DeliveryRig.start([partner]);
  });
  afterAll(() => rig?.stop());

  it('sends nobody, and whoever has the lease sends all', async () => {
    const audienceId = await rig.audience();
    await rig.publish(audienceId, [1, 2, 3]);
    const connectionId = await rig.connect(audienceId, await rig.output('slow-partner', {}));
    whileMaking = () => rig.killed(connectionId);
    await rig.wake(audienceId);
    expect(sent).toEqual([]);
    expect(await rig.delivery(connectionId)).toMatchObject({ state: 'running', touchedAt: null });

    whileMaking = () => Promise.resolve();
    await rig.sweepAfter(60_000);
    expect(sent).toEqual([3]);
    expect(await rig.delivery(connectionId)).toMatchObject({ state: 'delivered', accepted: 3 });
  });
});

describe('a process that slept until its lease was taken over, while the partner took a batch', () => {
  let rig: DeliveryRig;
  beforeAll(async () => {
    rig = await DeliveryRig.start([partner]);
    sent.length = 0;
    ids.length = 0;
  });
  afterAll(() => rig?.stop());

  it('sends nobody more, and whoever has the lease sends all, the batch under its id', async () => {
    const audienceId = await rig.audience();
    await rig.publish(audienceId, [1, 2, 3, 4, 5]);
    const connectionId = await rig.connect(audienceId, await rig.output('slow-partner', {}));
    whileSending = () => rig.outslept(connectionId);
    await rig.wake(audienceId);
    expect(sent).toEqual([3]);
    expect(await rig.delivery(connectionId)).toMatchObject({ state: 'running', accepted: 0 });

    whileSending = () => Promise.resolve();
    await rig.sweepAfter(60_000);
    expect(sent).toEqual([3, 3, 2]);
    expect(ids[1]).toBe(ids[0]);
    expect(await rig.delivery(connectionId)).toMatchObject({ state: 'delivered', accepted: 5 });
  });
});
