import { crashSuite } from './crash.suite.js';

crashSuite('with nothing but itself', async () => ({
  baseline: {},
  fork: async () => ({ env: {}, remove: async () => undefined }),
  close: async () => undefined,
}));
