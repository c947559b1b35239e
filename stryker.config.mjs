/** Mutants of rules: `npm run mutate -- 'src/domain/faults/*.ts'`. */
export default {
  testRunner: 'jest',
  testRunnerNodeArgs: ['--experimental-vm-modules', '--no-warnings'],
  plugins: ['@stryker-mutator/jest-runner'],
  jest: { configFile: 'jest.mutation.config.mjs', enableFindRelatedTests: true },
  coverageAnalysis: 'perTest',
  // Not in assembly/: a spec holds what was compiled against the hash of its source.
  disableTypeChecks: '{src,plugins,test}/**/*.ts',
  concurrency: 1,
  timeoutMS: 20_000,
  // Values that are the same in every run are worth a look once, not a mutant a letter.
  mutator: { excludedMutations: ['StringLiteral'] },
  ignorePatterns: ['dist', 'bench', 'data'],
  reporters: ['clear-text', 'progress-append-only'],
  clearTextReporter: { allowColor: false, logTests: false, reportTests: false },
  tempDirName: '.stryker-tmp',
  allowEmpty: false,
};
