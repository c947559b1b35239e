import { randomUUID } from 'node:crypto';
import Queue from 'bull';
import { SERVICE_URLS } from './services.js';

/** A start of keys that nobody else uses, and how to remove every key that begins so. */
export async function freeRedisPrefix(): Promise<{ prefix: string; clear: () => Promise<void> }> {
  const prefix = `hub-test-${randomUUID()}`;
  return {
    prefix,
    async clear() {
      const queue = new Queue('clear', SERVICE_URLS.Redis, { prefix });
      const keys = await queue.client.keys(`${prefix}:*`);
      if (keys.length > 0) await queue.client.del(...keys);
      await queue.close();
    },
  };
}
