import type { AddressInfo } from 'node:net';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { DemoService } from '../features/demo/index.js';
import { ensureAdminKey } from '../features/tenancy/index.js';
import { readConfig, type Config } from '../platform/env/index.js';
import { createLogger, type Logger } from '../platform/log/index.js';
import { WORK_QUEUE } from '../platform/nest/index.js';
import type { WorkQueue } from '../platform/queue/index.js';
import { createApp } from './create-app.js';
import { loadPlugins } from './load-plugins.js';
import { openPlatform } from './open-platform.js';
import type { Platform } from './platform.js';
import { sayHello } from './say-hello.js';
import { StartupError } from './startup-error.js';

/** How long work that runs may finish when the hub shuts down, in milliseconds. */
const GRACE_MS = 10_000;

/** How long the queue may take to answer at the start, in milliseconds. */
const QUEUE_PATIENCE_MS = 10_000;

/** A hub that runs in this process. */
export interface RunningHub {
  /** Where it listens: `http://host:port`. */
  url: string;
  app: NestExpressApplication;
  /** Takes no more work, lets work finish for ten seconds, releases the rest, and closes everything. */
  close(): Promise<void>;
}

/**
 * Starts the hub that `env` describes.
 *
 * @throws ConfigError, or StartupError, with a message for people; whatever was opened is closed again.
 */
export async function startHub(env: NodeJS.ProcessEnv): Promise<RunningHub> {
  const config = readConfig(env);
  const log = createLogger(config.log);
  const registry = await loadPlugins(config);
  const platform = await openPlatform(config, log);
  try {
    const adminKey = await ensureAdminKey(platform.database.db, config.adminKey);
    const app = await createApp(platform, registry);
    const close = closerOf(app, platform);
    try {
      const url = await listen(app, config);
      sayHello(log, platform, url, adminKey);
      app.get(DemoService).start(url);
      return { url, app, close };
    } catch (error) {
      await close();
      throw error;
    }
  } catch (error) {
    await platform.close();
    throw error;
  }
}

async function listen(app: NestExpressApplication, config: Config): Promise<string> {
  await queueAnswers(app.get<WorkQueue>(WORK_QUEUE));
  try {
    await app.listen(config.port, config.host);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new StartupError(
      `The hub did not start: it cannot listen on ${config.host}:${config.port} (${reason}). ` +
        'Choose another PORT or HUB_HOST, or stop what listens there.',
      { cause: error },
    );
  }
  const { address, family, port } = app.getHttpServer().address() as AddressInfo;
  return `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`;
}

/** Redis may be away; Bull would wait for it for ever. */
async function queueAnswers(queue: WorkQueue): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    const message = `The hub did not start: the queue (REDIS_URL) did not answer in ${QUEUE_PATIENCE_MS / 1000} s.`;
    timer = setTimeout(() => reject(new StartupError(message)), QUEUE_PATIENCE_MS);
  });
  try {
    await Promise.race([queue.counts(), late]);
  } finally {
    clearTimeout(timer);
  }
}

function closerOf(app: NestExpressApplication, platform: Platform): () => Promise<void> {
  let closing: Promise<void> | undefined;
  const close = async (log: Logger) => {
    try {
      await app.get<WorkQueue>(WORK_QUEUE).close({ graceMs: GRACE_MS });
      app.getHttpServer().closeIdleConnections();
      await app.close();
    } catch (err) {
      log.error({ err }, 'the hub did not close in order');
    }
    await platform.close();
  };
  return () => (closing ??= close(platform.log));
}
