import { pino, type DestinationStream, type Logger } from 'pino';
import { errorShapeOf } from './error-shape.js';
import { PrettyStream } from './pretty-stream.js';
import { REDACTED, REDACTED_PATHS } from './redaction.js';

export type { Logger } from 'pino';

/** How the log is written. */
export interface LogOptions {
  level: 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent';
  format: 'json' | 'pretty';
  /** Where lines go; default the standard output. */
  destination?: DestinationStream;
}

/**
 * The process's log. Give each part its own child: `log.child({ context: 'imports' })`; an error goes in
 * the field `err`. Secrets are redacted by the name of their field; personal data is never handed to it.
 */
export function createLogger(options: LogOptions): Logger {
  const destination = options.destination ?? process.stdout;
  const settings = {
    level: options.level,
    base: options.format === 'json' ? { pid: process.pid } : null,
    // What is no error was shaped before, as the stacks of Nest are.
    serializers: { err: (err: unknown) => (isShaped(err) ? err : errorShapeOf(err)) },
    redact: { paths: REDACTED_PATHS, censor: REDACTED },
  };
  return pino(settings, options.format === 'pretty' ? new PrettyStream(destination) : destination);
}

/** A log that writes nothing, for tests and for parts that are used without one. */
export function silentLogger(): Logger {
  return pino({ level: 'silent' });
}

function isShaped(err: unknown): boolean {
  return typeof err === 'object' && err !== null && !(err instanceof Error) && 'stack' in err;
}
