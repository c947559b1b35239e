import type { Logger } from '../platform/log/index.js';
import { hubVersion } from '../platform/package-root.js';
import type { Platform } from './platform.js';

/** Tells the person who started the hub where it is and what it stands on. */
export function sayHello(log: Logger, platform: Platform, url: string, adminKey: string | undefined): void {
  const { config } = platform;
  log.info(
    {
      version: hubVersion,
      roles: [...config.roles].join(','),
      data: config.dataDir,
      database: platform.database.kind,
      warehouse: platform.warehouse.kind,
      queue: config.redisUrl ? 'redis' : 'in-process',
      files: config.files.kind,
    },
    `The hub listens on ${url} and describes its API at ${url}/docs`,
  );
  // Printed, not logged: logs are kept and collected, and this is the only time the key is shown.
  if (adminKey) {
    process.stdout.write(
      `\n  Admin key (shown this once, set HUB_ADMIN_KEY to choose your own):\n\n    ${adminKey}\n\n`,
    );
  }
}
