import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { eq } from 'drizzle-orm';
import { z } from 'zod';
import { defineOutput, fault } from '../src/kit/index.js';
import { audiences, connections } from '../src/platform/database/index.js';
import { DeliveryRig } from './support/delivery-rig.js';

const MINUTE_MS = 60_000;

/** By the key of their making: one that is asked for again with the same key stays as it is. */
const names = new Map<string, string>();
let lostAnswers = 0;

const partner = defineOutput({
  id: 'naming-partner',
  name: 'Naming partner',
  description: 'For specs: keeps the names of its lists.',
  version: '1.0.0',
  settings: z.object({}),
  credentials: z.object({}),
  connectionSettings: z.object({}),
  identities: [{ type: 'email', encoding: 'raw' }],
  limits: { batchSize: 100 },
  check: () => Promise.resolve(),
  audience: {
    create: (_, { name, key = '' }) => {
      names.set(key, names.get(key) ?? name);
      if (lostAnswers === 0) return Promise.resolve({ externalId: key });
      lostAnswers -= 1;
      return Promise.reject(fault.retryable('CONNECTION_RESET', 'The connection broke.'));
    },
    rename: (_, { externalId, name }) => {
      names.set(externalId, name);
      return Promise.resolve();
    },
    add: () => Promise.resolve({ status: 'done', rejected: [] }),
  },
});

describe('the name of an audience at a partner', () => {
  let rig: DeliveryRig;
  beforeAll(async () => {
    rig = await DeliveryRig.start([partner]);
  });
  afterAll(() => rig.stop());

  it('is the newest one where the audience was renamed after the answer to its making was lost', async () => {
    const audienceId = await rig.audience('Spring');
    await rig.publish(audienceId, [1, 2, 3]);
    const connectionId = await rig.connect(audienceId, await rig.output('naming-partner', {}));
    lostAnswers = 1;
    await rig.wake(audienceId);
    expect(names.get(connectionId)).toBe('Spring');
    await rig.db.update(audiences).set({ name: 'Summer' }).where(eq(audiences.id, audienceId));
    await rig.sweepAfter(MINUTE_MS);
    expect(await rig.delivery(connectionId)).toMatchObject({ state: 'delivered' });
    expect(names.get(connectionId)).toBe('Summer');
    expect(await rig.connection(connectionId)).toMatchObject({ renamePending: false });
  });

  it('is told where the process died before it wrote down under which name it was made', async () => {
    const audienceId = await rig.audience('Autumn');
    await rig.publish(audienceId, [1, 2, 3]);
    const connectionId = await rig.connect(audienceId, await rig.output('naming-partner', {}));
    lostAnswers = 1;
    await rig.wake(audienceId);
    // It had heard the answer, and written down the id alone.
    await rig.db
      .update(connections)
      .set({ externalId: connectionId })
      .where(eq(connections.id, connectionId));
    await rig.db.update(audiences).set({ name: 'Winter' }).where(eq(audiences.id, audienceId));
    await rig.sweepAfter(MINUTE_MS);
    expect(names.get(connectionId)).toBe('Winter');
  });
});
