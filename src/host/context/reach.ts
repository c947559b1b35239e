import { realpath } from 'node:fs/promises';
import { isAbsolute, relative, sep } from 'node:path';
import { fault, type AnyConnector } from '../../kit/index.js';
import type { EgressGuard } from '../../platform/http/index.js';

/** Where connectors may go. */
export interface Reach {
  guard: EgressGuard;
  /** Absolute folders (HUB_DROP_ROOTS); absent: any. */
  dropRoots?: readonly string[];
}

/**
 * Holds the addresses and folders that `settings` name against what the hub allows. What goes through
 * `Context.http` and `Context.destination` is guarded there.
 *
 * @throws ConnectorError `config` EGRESS_REFUSED, INVALID_URL or FOLDER_REFUSED, `retryable` DNS_FAILED.
 */
export async function assertWithinReach(
  connector: AnyConnector,
  settings: Record<string, unknown>,
  reach: Reach,
): Promise<void> {
  for (const url of connector.egressUrls?.(settings) ?? []) await reach.guard.assertAllowed(url);
  for (const folder of connector.folders?.(settings) ?? []) await assertFolder(folder, reach.dropRoots);
}

async function assertFolder(folder: string, roots: readonly string[] | undefined): Promise<void> {
  if (!roots) return;
  // A link inside a root may point out of it; what is not there yet is judged by its name.
  const real = await realpath(folder).catch(() => folder);
  const realRoots = await Promise.all(roots.map((root) => realpath(root).catch(() => root)));
  if (realRoots.some((root) => isWithin(root, real))) return;
  throw fault.config(
    'FOLDER_REFUSED',
    `${folder} is outside of the folders the hub may use (HUB_DROP_ROOTS): ${roots.join(', ')}.`,
  );
}

function isWithin(root: string, path: string): boolean {
  const way = relative(root, path);
  return way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way);
}
