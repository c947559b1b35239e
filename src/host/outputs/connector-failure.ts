import { ConnectorError, isConnectorError } from '../../kit/index.js';

/** Shorter values are no secrets worth hiding, and would tear holes into every message. */
const MIN_SECRET_LENGTH = 4;
const MAX_MESSAGE_LENGTH = 1000;

/** Takes the secrets out of `text`, raw and percent-encoded, and keeps it to a readable length. */
export function redact(text: string, secrets: readonly string[]): string {
  const spellings = secrets
    .filter((secret) => secret.length >= MIN_SECRET_LENGTH)
    .flatMap((secret) => [secret, encodeURIComponent(secret)])
    .sort((one, other) => other.length - one.length);
  const clean = spellings.reduce((kept, secret) => kept.replaceAll(secret, '[redacted]'), text);
  return clean.length > MAX_MESSAGE_LENGTH ? `${clean.slice(0, MAX_MESSAGE_LENGTH - 1)}…` : clean;
}

/**
 * What escaped from a connector, as the hub acts on it: a ConnectorError keeps its kind, anything else is
 * `unexpected`. Messages of what is unexpected may quote anything, so they stay out; they are in `cause`,
 * for the log.
 */
export function asConnectorError(
  thrown: unknown,
  plugin: string,
  secrets: readonly string[],
): ConnectorError {
  if (isConnectorError(thrown)) {
    const { kind, code, message, retryAfterMs } = thrown;
    return new ConnectorError(kind, code, redact(message, secrets), retryAfterMs);
  }
  const name = thrown instanceof Error ? thrown.name : typeof thrown;
  const error = new ConnectorError(
    'unexpected',
    'UNEXPECTED',
    `The plugin ${plugin} failed in a way it does not name (${name}). The hub's log has the stack; report it.`,
  );
  error.cause = thrown;
  return error;
}
