import { stringify } from 'csv-stringify/sync';
import { HubError } from '../../domain/errors/index.js';

/** Rows that are made to text at once, between which other requests have their turn. */
const SLICE = 500;

type Row = Record<string, unknown>;

/** A JSON body: texts, and perhaps rows. */
export interface JsonPush {
  fields: Record<string, string>;
  rows: readonly Row[];
}

/** Reads `{ "name": …, "rows": [{ column: value }] }`; throws where it is something else. */
export function readJsonPush(body: Buffer): JsonPush {
  const parsed = parse(body);
  if (!isRow(parsed)) throw malformed('The body is no JSON object.');
  const { rows = [] } = parsed;
  if (!Array.isArray(rows) || !rows.every((row) => isRow(row))) {
    throw malformed('"rows" must be a list of objects, each with its values by column.');
  }
  const texts = Object.entries(parsed).filter(
    (entry): entry is [string, string] => typeof entry[1] === 'string',
  );
  return { fields: Object.fromEntries(texts), rows };
}

/** The rows as CSV with a header: every column that any of them has, in the order of their first appearance. */
export async function* csvOf(rows: readonly Row[]): AsyncGenerator<Buffer> {
  const columns = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  yield Buffer.from(stringify([columns]));
  for (let start = 0; start < rows.length; start += SLICE) {
    const cells = rows.slice(start, start + SLICE).map((row) => columns.map((name) => cellOf(row, name)));
    yield await Promise.resolve(Buffer.from(stringify(cells)));
  }
}

function cellOf(row: Row, name: string): string {
  const value = Object.hasOwn(row, name) ? row[name] : null;
  if (value === null || value === undefined) return '';
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function parse(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8').replace(/^\uFEFF/, ''));
  } catch {
    throw malformed('The body is no JSON, or was cut short.');
  }
}

function isRow(value: unknown): value is Row {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function malformed(what: string): HubError {
  return new HubError(
    'MALFORMED_BODY',
    `${what} Expected { "name": …, "rows": […] } or { "name": …, "url": … }.`,
  );
}
