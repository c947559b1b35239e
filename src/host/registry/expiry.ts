import { z } from 'zod';
import type { AnyConnector, OutputConnector } from '../../kit/index.js';
import { InvalidSettingsError, parseWith } from './settings.js';

/** The hub looks every ten minutes for whom to add again, a slice of people at a time: a day at least. */
const LEAST_EXPIRY_MS = 86_400_000;

/**
 * Holds what a plugin says of its partner's memory against what the hub can keep up with, by what somebody chose; where
 * connection settings are absent, by their defaults.
 *
 * @throws InvalidSettingsError
 */
export function requireExpiry(
  plugin: OutputConnector,
  settings: unknown,
  connectionSettings?: unknown,
): void {
  if (!plugin.expireAfterMs) return;
  const { id } = plugin;
  const given = parseWith(id, 'settings', plugin.settings, settings);
  const own =
    connectionSettings === undefined
      ? defaultsOf(plugin.connectionSettings)
      : parseWith(id, 'connectionSettings', plugin.connectionSettings, connectionSettings);
  const part = connectionSettings === undefined ? 'settings' : 'connectionSettings';
  const message = shortness(() => plugin.expireAfterMs?.(given, own));
  if (message !== undefined) throw new InvalidSettingsError(id, part, [{ path: '', message }]);
}

/** Why a plugin cannot be one whatever somebody chooses later, or chooses not; undefined where nothing is known. */
export function expiryProblem(plugin: AnyConnector): string | undefined {
  if (plugin.kind !== 'output' || !plugin.expireAfterMs) return undefined;
  const [settings, own] = [defaultsOf(plugin.settings), defaultsOf(plugin.connectionSettings)];
  return shortness(() => plugin.expireAfterMs?.(settings, own));
}

function shortness(expireAfterMs: () => number | undefined): string | undefined {
  const ms = known(expireAfterMs);
  if (ms === undefined || ms >= LEAST_EXPIRY_MS) return undefined;
  return (
    `expireAfterMs says that the partner forgets members after ${ms} ms, and the hub adds them again in time only ` +
    `from ${LEAST_EXPIRY_MS} ms (a day) on. Say a day or more, or undefined where the partner forgets nobody`
  );
}

/** Not every plugin can say without what has no default. */
function known(expireAfterMs: () => number | undefined): number | undefined {
  try {
    const ms = expireAfterMs();
    return Number.isFinite(ms) ? ms : undefined;
  } catch {
    return undefined;
  }
}

/** Fields that have a value although nobody chose one. */
function defaultsOf(schema: z.ZodObject): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(schema.shape).flatMap(([name, field]) => {
      const parsed = z.safeParse(field, undefined);
      return parsed.success && parsed.data !== undefined ? [[name, parsed.data]] : [];
    }),
  );
}
