import { WarehouseError } from './warehouse.js';

/**
 * ClickHouse errors whose text speaks of the statement, the files or the machine, never of the values of
 * rows. The text of any other error may quote a person, so only its number and name are told.
 */
const TEXT_WITHOUT_ROWS: ReadonlySet<string> = new Set([
  '16', // NO_SUCH_COLUMN_IN_TABLE
  '46', // UNKNOWN_FUNCTION
  '47', // UNKNOWN_IDENTIFIER
  '57', // TABLE_ALREADY_EXISTS
  '60', // UNKNOWN_TABLE
  '74', // CANNOT_READ_FROM_FILE_DESCRIPTOR
  '75', // CANNOT_WRITE_TO_FILE_DESCRIPTOR
  '76', // CANNOT_OPEN_FILE
  '81', // UNKNOWN_DATABASE
  '107', // FILE_DOESNT_EXIST
  '115', // UNKNOWN_SETTING
  '159', // TIMEOUT_EXCEEDED
  '164', // READONLY
  '202', // TOO_MANY_SIMULTANEOUS_QUERIES
  '210', // NETWORK_ERROR
  '241', // MEMORY_LIMIT_EXCEEDED
  '242', // TABLE_IS_READ_ONLY
  '243', // NOT_ENOUGH_SPACE
  '252', // TOO_MANY_PARTS
  '394', // QUERY_WAS_CANCELLED
  '456', // UNKNOWN_QUERY_PARAMETER
  '497', // ACCESS_DENIED
  '516', // AUTHENTICATION_FAILED
]);

/** From here on the engine quotes the statement or says where in the plan it was. */
const QUOTED_STATEMENT =
  /\s*(?::\s*)?\b(?:in scope|while executing|while processing|in query:|\(in file\/uri)\b.*/is;
const MAX_TEXT = 300;

/**
 * An error of the engine, its client or the file system as WarehouseError. The original is NOT kept as
 * cause: logs print causes, and engines quote the row they stumble over.
 */
export function asWarehouseError(error: unknown): WarehouseError {
  if (error instanceof WarehouseError) return error;
  const given = error as { message?: unknown; code?: unknown; type?: unknown };
  const text = typeof given.message === 'string' ? given.message : '';
  const code = /^\d+$/.test(String(given.code)) ? String(given.code) : /\bCode: (\d+)\./.exec(text)?.[1];
  if (code !== undefined)
    return new WarehouseError(engineMessage(code, nameOf(given.type, text), text), code);
  return new WarehouseError(otherMessage(error, text), undefined);
}

function engineMessage(code: string, name: string, text: string): string {
  const row = /\bat row (\d+)/.exec(text)?.[1];
  const what = `ClickHouse error ${code}${name && `, ${name}`}${row ? `, at row ${row}` : ''}`;
  if (!TEXT_WITHOUT_ROWS.has(code)) return `${what}.`;
  const firstLine = text.replace(/^Code: \d+\.\s*/, '').split('\n')[0] ?? '';
  const safe = firstLine
    .replace(/^DB::Exception:\s*/, '')
    .replace(QUOTED_STATEMENT, '')
    .replace(/\s*\([A-Z_]+\)\s*(\(version.*)?$/, '');
  return `${what}: ${safe.slice(0, MAX_TEXT).trim()}`;
}

/** What did not come from the engine: the network, a file, or the client's refusal of a parameter. */
function otherMessage(error: unknown, text: string): string {
  const system = (error as { code?: unknown }).code;
  if (typeof system === 'string' && /^E[A-Z_]+$/.test(system)) return `${system}: ${text.slice(0, MAX_TEXT)}`;
  if (/^(Timeout error|socket hang up|aborted)/i.test(text)) return text.slice(0, MAX_TEXT);
  return `The warehouse failed with ${error instanceof Error ? error.name : typeof error}.`;
}

function nameOf(type: unknown, text: string): string {
  if (typeof type === 'string' && /^[A-Z_0-9]+$/.test(type)) return type;
  return /\(([A-Z][A-Z_0-9]+)\)\s*(?:\(version[^)]*\))?\s*$/.exec(text)?.[1] ?? '';
}
