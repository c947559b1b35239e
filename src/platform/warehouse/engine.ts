import { ClickHouseLogLevel, type ClickHouseClient } from '@clickhouse/client';
import { asWarehouseError } from './engine-error.js';
import { Lending } from './lending.js';
import { settingsClause, WarehouseError, type Lane, type QueryOptions } from './warehouse.js';

/** The connections of each lane. One runs one query at a time, so there are as many as may run at once. */
export type Lanes = Record<Lane, readonly ClickHouseClient[]>;

/** The client would log every error as it came, the row that the engine quotes included. */
export const SILENT = { level: ClickHouseLogLevel.OFF };

/** What both engines have in common: @clickhouse/client, lanes, and errors that hold no row. */
export class Engine {
  private readonly lanes: Record<Lane, Lending<ClickHouseClient>>;
  private closing: Promise<void> | undefined;

  constructor(private readonly clients: Lanes) {
    this.lanes = { bulk: new Lending(clients.bulk), quick: new Lending(clients.quick) };
  }

  query<Row>(sql: string, options: QueryOptions = {}): Promise<Row[]> {
    return this.run(options.lane ?? 'quick', async (client) => {
      const result = await client.query({
        query: sql + settingsClause(options.settings),
        format: 'JSONEachRow',
        ...bound(options),
      });
      return result.json<Row>();
    });
  }

  rows(select: string, options: QueryOptions = {}): Promise<Buffer> {
    return this.run(options.lane ?? 'quick', async (client) => {
      const query = `${select}${settingsClause(options.settings)} FORMAT RowBinary`;
      const result = await client.exec({ query, ...bound(options) });
      const chunks = (await result.stream.toArray()) as Buffer[];
      const [only] = chunks;
      // The embedded engine hands over everything at once: not worth a copy.
      return chunks.length === 1 && only ? only : Buffer.concat(chunks);
    });
  }

  command(sql: string, options: QueryOptions = {}): Promise<void> {
    return this.run(options.lane ?? 'quick', async (client) => {
      await client.command({ query: sql + settingsClause(options.settings), ...bound(options) });
    });
  }

  /** Runs `work` with a connection of the lane once one is free; its errors become WarehouseError. */
  async run<T>(lane: Lane, work: (client: ClickHouseClient) => Promise<T>): Promise<T> {
    if (this.closing) throw new WarehouseError('The warehouse is closed.', undefined);
    try {
      return await this.lanes[lane].lend(work);
    } catch (error) {
      throw asWarehouseError(error);
    }
  }

  /** Refuses new queries, waits for those that were asked before, then closes the connections. */
  close(): Promise<void> {
    this.closing ??= this.closeAll();
    return this.closing;
  }

  private async closeAll(): Promise<void> {
    await Promise.all([this.lanes.bulk.takeAll(), this.lanes.quick.takeAll()]);
    const connections = new Set([...this.clients.bulk, ...this.clients.quick]);
    await Promise.all([...connections].map((client) => client.close()));
  }
}

/** `query_params` of the client, or nothing. */
export function bound(options: QueryOptions): { query_params?: Record<string, unknown> } {
  return options.params ? { query_params: options.params } : {};
}
