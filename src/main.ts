import 'reflect-metadata';
import { startHub } from './app/bootstrap.js';
import { StartupError } from './app/startup-error.js';
import { ConfigError } from './platform/env/index.js';

try {
  const hub = await startHub(process.env);
  let stopping = false;
  const stop = () => {
    // Who asks twice does not want to wait.
    if (stopping) process.exit(1);
    stopping = true;
    void hub.close().then(() => process.exit(0));
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
} catch (error) {
  const forPeople = error instanceof ConfigError || error instanceof StartupError;
  console.error(forPeople ? error.message : error);
  process.exit(1);
}
