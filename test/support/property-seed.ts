import * as fc from 'fast-check';

/**
 * The seed of property tests: HUB_TEST_SEED, or else a new one each run, which a failure prints. CI sets one, so
 * that it judges a change by that change alone; the runs at people's desks go on looking elsewhere.
 */
const seed = process.env.HUB_TEST_SEED;
if (seed !== undefined && seed !== '')
  fc.configureGlobal({ ...fc.readConfigureGlobal(), seed: Number(seed) });
