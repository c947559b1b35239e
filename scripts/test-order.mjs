import Sequencer from '@jest/test-sequencer';

/**
 * The order of the specs: those that run for minutes first, hubs that are killed and started over and suites of which the
 * spec is a few lines, since they would otherwise begin last (jest goes by size of file) and keep one core alone; then
 * jest's own.
 */
export default class TestOrder extends Sequencer {
  sort(tests) {
    const sorted = super.sort(tests);
    const isLong = (test) => LONG.some((part) => test.path.includes(part));
    return [...sorted.filter(isLong), ...sorted.filter((test) => !isLong(test))];
  }
}

const LONG = [
  '/test/crash/',
  '/test/simulation/',
  '/test/combinations.e2e.',
  '/test/services.e2e.',
  '/test/many-seats.e2e.',
  '/features/ledger/ledger.',
  '/platform/warehouse/open-',
  '/features/notices/notices.',
];
