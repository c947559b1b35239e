import { describe, expect, it } from '@jest/globals';
import { silentLogger } from '../log/index.js';
import { InProcessWorkQueue } from './index.js';
import { describeWorkQueue } from './work-queue.suite.js';

describe('InProcessWorkQueue', () => {
  describeWorkQueue(async () => new InProcessWorkQueue(silentLogger()));

  it('refuses a second handler of a kind', async () => {
    const queue = new InProcessWorkQueue(silentLogger());
    queue.process('import', 1, async () => undefined);
    expect(() => queue.process('import', 1, async () => undefined)).toThrow('has a handler already');
    await queue.close({ graceMs: 0 });
  });
});
