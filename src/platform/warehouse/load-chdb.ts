/** What the hub takes from chDB. */
export type Chdb = Pick<typeof import('chdb'), 'drainPending'> &
  Pick<typeof import('chdb/connection'), 'createChdbConnection'>;

/**
 * How long the engine keeps memory that a query has given back before the system gets it. By itself it takes 5 seconds and
 * begins at once, so that of a page of members every second byte was new memory: of a delivery of a million members, 25 of
 * 670 ms of processor time went into that. What it holds for the next query is used again first, and no more at the peak.
 */
const KEEP_MEMORY_MS = 60_000;

/**
 * Loads the engine that runs in this process: 560 MB on disk, which a hub with a ClickHouse server does without.
 *
 * Its allocator reads `JE_MALLOC_CONF` as soon as it is loaded; what the environment says counts.
 */
export async function loadChdb(): Promise<Chdb> {
  process.env.JE_MALLOC_CONF ??= `dirty_decay_ms:${KEEP_MEMORY_MS}`;
  const [{ drainPending }, { createChdbConnection }] = await Promise.all([
    import('chdb'),
    import('chdb/connection'),
  ]);
  return { drainPending, createChdbConnection };
}
