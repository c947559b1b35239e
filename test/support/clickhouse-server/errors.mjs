/** What the server itself refuses. */
export class HttpError extends Error {
  /**
   * @param {number} status
   * @param {string} message
   */
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

/** Codes that ClickHouse answers with 404: unknown function, identifier, type, table, database, setting. */
const NOT_FOUND = new Set([46, 47, 50, 60, 81, 115]);
/** Codes that it answers with 400: what cannot be parsed, wrong arguments and types, syntax. */
const BAD_REQUEST = new Set([6, 26, 27, 36, 38, 41, 42, 43, 53, 62, 69, 70, 72, 117, 386, 427, 456]);

/**
 * Answers as ClickHouse does: its code in a header, its message as the body.
 *
 * @param {import('node:http').ServerResponse} response
 * @param {unknown} error
 */
export function answerError(response, error) {
  const message = error instanceof Error ? error.message : String(error);
  if (response.headersSent) {
    response.destroy(); // too late for a status: the body ends without its last chunk
    return;
  }
  const code = Number(/Code: (\d+)\./.exec(message)?.[1] ?? 1002);
  response.setHeader('X-ClickHouse-Exception-Code', String(code));
  response.setHeader('Content-Type', 'text/plain; charset=UTF-8');
  response.writeHead(statusOf(error, code));
  response.end(
    message.startsWith('Code:')
      ? `${message}\n`
      : `Code: ${code}. DB::Exception: ${message}. (UNKNOWN_EXCEPTION)\n`,
  );
}

/**
 * @param {unknown} error
 * @param {number} code
 */
function statusOf(error, code) {
  if (error instanceof HttpError) return error.status;
  if (NOT_FOUND.has(code)) return 404;
  return BAD_REQUEST.has(code) ? 400 : 500;
}
