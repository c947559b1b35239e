import { cycleMsOf, dueSlots } from '../../../domain/heartbeats/index.js';
import {
  InvalidSettingsError,
  parseConnectionSettings,
  parseSettings,
  type PluginRegistry,
} from '../../../host/registry/index.js';
import type {
  connections,
  Database,
  Heartbeats as Beats,
  outputs,
  Transaction,
} from '../../../platform/database/index.js';
import { readLastSent } from './last-sent.js';

/** A connection, as far as its heartbeats go. */
export interface HeartbeatSubject {
  connection: Pick<typeof connections.$inferSelect, 'id' | 'settings'>;
  output: Pick<typeof outputs.$inferSelect, 'plugin' | 'settings'>;
  /** Null: its slices have no turns yet. */
  beats: Beats | null;
}

/** Turns of slices that have come. */
export interface DueHeartbeats {
  /** Start of the slot, by slice. */
  slots: Record<string, number>;
  /** Only who was a member at this version already; undefined: everybody was added a short time ago, or nobody ever. */
  since: number | undefined;
  /** The output takes whole states. */
  byWholeStates: boolean;
}

/** Undefined: the partner forgets nobody, or nobody can say; its deliveries tell what is wrong with the settings. */
export function expiryOf(
  registry: PluginRegistry,
  { connection, output }: Pick<HeartbeatSubject, 'connection' | 'output'>,
): number | undefined {
  const plugin = registry.all().find(({ id }) => id === output.plugin);
  if (plugin?.kind !== 'output' || !plugin.expireAfterMs) return undefined;
  try {
    const settings = parseSettings(plugin, output.settings);
    return plugin.expireAfterMs(settings, parseConnectionSettings(plugin, connection.settings));
  } catch (error) {
    if (error instanceof InvalidSettingsError) return undefined;
    throw error;
  }
}

/** Undefined: nobody's turn has come. */
export async function readDueHeartbeats(
  db: Database | Transaction,
  registry: PluginRegistry,
  subject: HeartbeatSubject,
  nowMs: number,
): Promise<DueHeartbeats | undefined> {
  const { connection, beats } = subject;
  const expireAfterMs = expiryOf(registry, subject);
  if (expireAfterMs === undefined || beats === null) return undefined;
  const slots = dueSlots(expireAfterMs, { sinceMs: beats.sinceMs, done: beats.slots }, nowMs);
  if (Object.keys(slots).length === 0) return undefined;
  const cycleAgo = new Date(nowMs - cycleMsOf(expireAfterMs));
  const { everybody, version, byWholeStates } = await readLastSent(db, connection.id, cycleAgo);
  return { slots, since: everybody || version === 0 ? undefined : version, byWholeStates };
}
