import { expect } from '@jest/globals';
import { eq } from 'drizzle-orm';
import { deliveryBatches } from '../../src/platform/database/index.js';
import type { AnyConnector } from '../../src/kit/index.js';
import { DeliveryRig } from './delivery-rig.js';
import { Sink, type SinkFailure } from './sink.js';

/** Whole numbers from `from` to `to`, both included. */
export const range = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, index) => from + index);

/** 350 members, of whom the last five have no identity: four batches of at most a hundred. */
export const MEMBERS = range(1, 350);
export const BARE = range(346, 350);
/** Those who can be sent. */
export const SENT = range(1, 345);

/** A rig and a partner, new for every test. */
export class DeliveryScene {
  sink!: Sink;

  private constructor(readonly rig: DeliveryRig) {}

  /** @param extra connectors besides those of the hub */
  static async open(extra: AnyConnector[] = []): Promise<DeliveryScene> {
    return new DeliveryScene(await DeliveryRig.start(extra));
  }

  async begin(): Promise<void> {
    this.sink = await Sink.start();
  }

  /** An audience with {@link MEMBERS}, connected to the sink. */
  async connected() {
    const audienceId = await this.rig.audience();
    await this.rig.publish(audienceId, MEMBERS, BARE);
    const connectionId = await this.rig.connectWebhook(audienceId, this.sink.url);
    return { audienceId, connectionId };
  }

  /** From the second batch of members on, fails `times` times. Returns how to ask how often it did. */
  failing(failure: SinkFailure, times: number): () => number {
    let failed = 0;
    this.sink.failure = (batch, event) => {
      if (event !== 'audience.members' || batch < 2 || failed >= times) return undefined;
      failed += 1;
      return failure;
    };
    return () => failed;
  }

  /** The partner has everybody who can be sent, nobody twice, and the counts say so. */
  async expectDelivered(connectionId: string, members: readonly number[], version: number) {
    expect(this.sink.doubled).toEqual([]);
    expect([...this.sink.members].map(Number).sort((a, b) => a - b)).toEqual(members);
    const delivery = await this.rig.delivery(connectionId);
    const { planned, accepted, rejected, skipped } = delivery;
    expect(delivery).toMatchObject({ state: 'delivered', toVersion: version, error: null });
    expect(planned).toBe(accepted + rejected + skipped);
    const connection = await this.rig.connection(connectionId);
    expect(connection).toMatchObject({ status: 'active', deliveredVersion: version });
    const batches = await this.rig.db
      .select()
      .from(deliveryBatches)
      .where(eq(deliveryBatches.deliveryId, delivery.id));
    expect(batches.reduce((sum, batch) => sum + batch.accepted, 0)).toBe(accepted);
    return delivery;
  }
}
