import Sequencer from '@jest/test-sequencer';

/**
 * The order of the specs: the folders whose hubs are killed and started over first, since their few files run for
 * minutes each and would otherwise begin last (jest goes by size of file) and keep one core alone; then jest's own.
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
];
