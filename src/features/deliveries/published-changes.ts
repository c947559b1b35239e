import type { DeliveryOrder } from './delivery-rows.js';

/** Sizes as they were counted when a version was published. */
export interface PublishedChanges {
  /** Members at the version that the delivery brings. */
  members: number;
  /** Who came and who left up to it; undefined: that lies several versions back, and has to be counted. */
  changes?: { added: number; removed: number };
}

/**
 * What is known of a delivery's changes without asking the ledger. A version is published only once the ledger was found
 * to hold just these changes, so what is sent is held against them. Undefined: only a part of the audience is sent, or
 * people were forgotten since.
 */
export function publishedChanges({
  delivery,
  variant,
  version,
}: DeliveryOrder): PublishedChanges | undefined {
  const { fromVersion, toVersion } = delivery;
  if (variant !== null || version?.version !== toVersion) return undefined;
  const { size: members, added, removed } = version;
  if (fromVersion === 0) return { members, changes: { added: members, removed: 0 } };
  return fromVersion === toVersion - 1 ? { members, changes: { added, removed } } : { members };
}
