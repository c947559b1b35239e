import type { ClickHouseClient } from '@clickhouse/client';
import { Gate } from './gate.js';
import { settingsClause, WarehouseError, type Lane, type QueryOptions } from './warehouse.js';

/** How many queries of each lane run at once. */
export interface Lanes {
  bulk: number;
  quick: number;
}

/**
 * What both engines have in common: @clickhouse/client, lanes, and errors that hold no row. `settle` runs
 * after every query before the lane is free again.
 */
export class Engine {
  private readonly gates: Record<Lane, Gate>;

  constructor(
    readonly client: ClickHouseClient,
    lanes: Lanes,
  ) {
    this.gates = { bulk: new Gate(lanes.bulk), quick: new Gate(lanes.quick) };
  }

  query<Row>(sql: string, options: QueryOptions = {}): Promise<Row[]> {
    return this.run(options.lane ?? 'quick', async () => {
      const result = await this.client.query({
        query: sql + settingsClause(options.settings),
        format: 'JSONEachRow',
        ...bound(options),
      });
      return result.json<Row>();
    });
  }

  command(sql: string, options: QueryOptions = {}): Promise<void> {
    return this.run(options.lane ?? 'quick', async () => {
      await this.client.command({ query: sql + settingsClause(options.settings), ...bound(options) });
    });
  }

  async run<T>(lane: Lane, work: () => Promise<T>): Promise<T> {
    return this.gates[lane].through(async () => {
      try {
        return await work();
      } catch (error) {
        throw asWarehouseError(error);
      }
    });
  }
}

/** `query_params` of the client, or nothing. */
export function bound(options: QueryOptions): { query_params?: Record<string, unknown> } {
  return options.params ? { query_params: options.params } : {};
}

/**
 * Engines quote the row they stumble over; that is personal data. The first sentence says what happened, and
 * everything from a quoted value on is cut.
 */
export function asWarehouseError(error: unknown): WarehouseError {
  if (error instanceof WarehouseError) return error;
  const { message, code } = error as { message?: string; code?: string };
  const text = (message ?? String(error)).split('\n')[0] ?? '';
  const safe = text.replace(
    /(Row \d+:|While|: value |Cannot parse|: In scope|\(at row).*/s,
    (_, start: string) => start,
  );
  return new WarehouseError(safe.slice(0, 500).trim(), code, { cause: error });
}
