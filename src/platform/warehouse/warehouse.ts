/** Values bound to `{name:Type}` placeholders. 64-bit integers are bigint. */
export type SqlParams = Record<
  string,
  string | number | bigint | boolean | readonly (string | number | bigint)[]
>;

/** Settings of one query, written into its SETTINGS clause: chDB would keep those set any other way. */
export type SqlSettings = Record<string, number | string>;

/**
 * Which lane a query waits in. `bulk`: sets of millions, few at a time, all memory and threads.
 * `quick`: what a person or the next batch waits for.
 */
export type Lane = 'bulk' | 'quick';

export interface QueryOptions {
  params?: SqlParams;
  settings?: SqlSettings;
  lane?: Lane;
}

/** A file read by the engine with an explicit structure. */
export interface FileSource {
  /** Path on this machine. */
  path: string;
  /** ClickHouse input format. */
  format: 'CSV' | 'TabSeparated' | 'TSVRaw' | 'LineAsString';
  /** Column list as in CREATE TABLE: `c1 String, c2 String`. */
  structure: string;
  settings?: SqlSettings;
}

/**
 * Profiles, identities and the ledger: ClickHouse by HTTP, or in this process (chDB). Same SQL for both.
 *
 * Errors are WarehouseError; its message, stack and cause hold no values of rows.
 */
export interface Warehouse {
  readonly kind: 'chdb' | 'clickhouse';
  /** Small results only: they are held in memory. 64-bit integers come as strings. */
  query<Row>(sql: string, options?: QueryOptions): Promise<Row[]>;
  /**
   * The rows of `select` in the engine's format RowBinary: numbers in little-endian order, strings behind their length.
   * All of them are in memory: bound the query.
   */
  rows(select: string, options?: QueryOptions): Promise<Buffer>;
  /** A statement without result. */
  command(sql: string, options?: QueryOptions): Promise<void>;
  /**
   * Bulk load: runs `INSERT INTO {target} {select(source)}`, where `source` is a table expression over the
   * file. The engine parses the file; no row passes through JavaScript.
   */
  load(
    file: FileSource,
    target: string,
    select: (source: string) => string,
    options?: QueryOptions,
  ): Promise<void>;
  /**
   * Bulk export: writes the rows of `select` to a local file, in the engine's `format`. A file that is there
   * is replaced; where the export fails, there is none.
   */
  unload(
    file: { path: string; format: 'CSV' | 'CSVWithNames' | 'RawBLOB' | 'TSVRaw'; structure: string },
    select: string,
    options?: QueryOptions,
  ): Promise<void>;
  ping(): Promise<void>;
  /** Refuses new queries, waits for those that were asked before, then lets go of the engine. */
  close(): Promise<void>;
}

/** A query that the engine refused or could not finish. */
export class WarehouseError extends Error {
  override readonly name = 'WarehouseError';

  constructor(
    message: string,
    /** ClickHouse's error number as text, where there is one: '241' is MEMORY_LIMIT_EXCEEDED. */
    readonly code: string | undefined,
    options?: { cause: unknown },
  ) {
    super(message, options);
  }
}

/** SETTINGS clause of `settings`, or nothing. */
export function settingsClause(settings: SqlSettings | undefined): string {
  const entries = Object.entries(settings ?? {});
  if (entries.length === 0) return '';
  const text = entries.map(
    ([name, value]) => `${name} = ${typeof value === 'number' ? value : `'${value}'`}`,
  );
  return ` SETTINGS ${text.join(', ')}`;
}
