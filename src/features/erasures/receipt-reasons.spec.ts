import { describe, expect, it } from '@jest/globals';
import { reasonOf } from './receipt-reasons.js';

describe('the reason of a receipt', () => {
  const nobody = { rejected: 0, unsupported: 0, shared: 0, sameValues: 0 };
  it.each([
    [{}, undefined],
    [{ shared: 1 }, 'SHARED_LIST'],
    [{ shared: 1, sameValues: 1 }, 'SHARED_IDENTITY'],
    [{ shared: 1, sameValues: 1, unsupported: 1 }, 'REMOVE_UNSUPPORTED'],
    [{ shared: 1, sameValues: 1, unsupported: 1, rejected: 1 }, 'REMOVE_REFUSED'],
  ])('of %j is that about which most is to be done: %s', (counts, code) => {
    expect(reasonOf({ ...nobody, ...counts })?.code).toBe(code);
  });
});
