import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startTestHub, type TestHub } from './support/hub.js';

let hub: TestHub;

beforeAll(async () => {
  hub = await startTestHub();
}, 60_000);

afterAll(async () => {
  await hub?.stop();
});

describe('GET /health', () => {
  it('tells anybody how the parts do', async () => {
    const answer = await hub.api('GET', '/health', undefined, null);
    expect(answer).toMatchObject({
      status: 200,
      body: {
        status: 'ok',
        roles: ['api', 'worker', 'scheduler'],
        database: 'ok',
        warehouse: 'ok',
        queue: 'ok',
        version: expect.stringMatching(/^\d+\.\d+\.\d+/),
      },
    });
  });

  it('names no software that answers', async () => {
    const { headers } = await hub.api('GET', '/health', undefined, null);
    expect([headers.get('x-powered-by'), headers.get('x-content-type-options')]).toEqual([null, 'nosniff']);
  });
});
