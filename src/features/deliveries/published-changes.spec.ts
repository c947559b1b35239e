import { describe, expect, it } from '@jest/globals';
import type { DeliveryOrder } from './delivery-rows.js';
import { publishedChanges } from './published-changes.js';

const PUBLISHED = { version: 3, size: 50, added: 7, removed: 2 };

function changesOf(
  delivery: { fromVersion: number; toVersion: number },
  { variant = null, version = PUBLISHED }: { variant?: object | null; version?: object | null } = {},
) {
  return publishedChanges({ delivery, variant, version } as unknown as DeliveryOrder);
}

describe('what is known of a delivery’s changes', () => {
  it('is all members as added for a first one', () => {
    expect(changesOf({ fromVersion: 0, toVersion: 3 })).toStrictEqual({
      members: 50,
      changes: { added: 50, removed: 0 },
    });
  });

  it('is what was published with the version for one from the version before', () => {
    expect(changesOf({ fromVersion: 2, toVersion: 3 })).toStrictEqual({
      members: 50,
      changes: { added: 7, removed: 2 },
    });
  });

  it('is the members alone where versions lie between, because whoever came and left is not sent', () => {
    expect(changesOf({ fromVersion: 1, toVersion: 3 })).toStrictEqual({ members: 50 });
  });

  it.each([
    ['a part of the audience', { variant: {} }],
    ['another version than the one at hand', { version: { ...PUBLISHED, version: 4 } }],
    ['a version that nothing was noted of', { version: null }],
  ])('is nothing of %s', (_, order) => {
    expect(changesOf({ fromVersion: 2, toVersion: 3 }, order)).toBeUndefined();
  });
});
