import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { defineOutput } from '../src/kit/index.js';
import { DeliveryRig } from './support/delivery-rig.js';

let whileMaking: () => Promise<void> = () => Promise.resolve();
const sent: number[] = [];

const partner = defineOutput({
  id: 'slow-partner',
  name: 'Slow partner',
  description: 'For specs: takes its time to make a list.',
  version: '1.0.0',
  settings: z.object({}),
  credentials: z.object({}),
  connectionSettings: z.object({}),
  identities: [{ type: 'email', encoding: 'raw' }],
  limits: { batchSize: 100 },
  check: () => Promise.resolve(),
  audience: {
    create: async (_, { name }) => {
      await whileMaking();
      return { externalId: name };
    },
    add: (_, __, { size }) => {
      sent.push(size);
      return Promise.resolve({ status: 'done', rejected: [] });
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
