import 'reflect-metadata';
import { startHub } from './app/bootstrap.js';
import { StartupError } from './app/startup-error.js';
import { ConfigError } from './platform/env/index.js';
import { letHeapGrow } from './platform/heap-growth.js';
import { letThreadsGiveWay } from './platform/threads.js';

/** Signals closer to each other are one request. */
const REPEATED_WITHIN_MS = 500;

letHeapGrow();
try {
  const hub = await startHub(process.env);
  letThreadsGiveWay();
  let askedAt: number | undefined;
  const stop = () => {
    // Who asks twice does not want to wait. On Ctrl-C, npm may hand on what the terminal has sent already.
    if (askedAt !== undefined) {
      if (performance.now() - askedAt > REPEATED_WITHIN_MS) process.exit(1);
      return;
    }
    askedAt = performance.now();
    void hub.close().then(() => process.exit(0));
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
} catch (error) {
  const forPeople = error instanceof ConfigError || error instanceof StartupError;
  console.error(forPeople ? error.message : error);
  process.exit(1);
}
