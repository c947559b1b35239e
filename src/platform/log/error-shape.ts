/** What the log keeps of an error. Nothing else of it is written: errors of libraries carry what they were given. */
export interface ErrorShape {
  type: string;
  message: string;
  stack: string;
  code?: string;
  cause?: ErrorShape;
}

const MAX_DEPTH = 5;

/**
 * The error as it may be logged. A failed query is named without its parameters, and a value that
 * PostgreSQL quotes (class 22, "data exception") is cut: both may be a person's.
 */
export function errorShapeOf(thrown: unknown, depth = 0): ErrorShape {
  if (!(thrown instanceof Error))
    return { type: typeof thrown, message: 'Something that is no error.', stack: '' };
  const { code } = thrown as { code?: unknown };
  const message = safeMessage(thrown);
  return {
    type: thrown.constructor.name || thrown.name,
    message,
    stack: `${thrown.name}: ${message}\n${framesOf(thrown)}`,
    ...(typeof code === 'string' || typeof code === 'number' ? { code: String(code) } : {}),
    ...(thrown.cause !== undefined && depth < MAX_DEPTH
      ? { cause: errorShapeOf(thrown.cause, depth + 1) }
      : {}),
  };
}

function safeMessage(error: Error): string {
  const { query, params, code } = error as { query?: unknown; params?: unknown; code?: unknown };
  if (typeof query === 'string' && params !== undefined) return `Query failed: ${query}`;
  const quotesData = typeof code === 'string' && /^22[0-9A-Z]{3}$/.test(code);
  return quotesData ? error.message.replace(/".*"/s, '"…"') : error.message;
}

/** Frames only: the head of a stack repeats the message. */
function framesOf({ stack = '' }: Error): string {
  return stack
    .split('\n')
    .filter((line) => /^\s+at /.test(line))
    .join('\n');
}
