import jest from './jest.config.mjs';

/** Specs of rules and of the host: quick ones, that stand by themselves. */
export default {
  ...jest,
  roots: ['<rootDir>/src/domain', '<rootDir>/src/host'],
  testSequencer: undefined,
  maxWorkers: 1,
};
