import type { Warehouse } from './warehouse.js';

/**
 * The same warehouse, for work that must not go on once `signal` aborts: nothing is asked of it any more then. What was
 * asked before runs to its end.
 */
export function stoppable(warehouse: Warehouse, signal: AbortSignal): Warehouse {
  /** As a promise that fails, like any other failure of the engine. */
  const guarded =
    <Given extends unknown[], Answer>(ask: (...given: Given) => Promise<Answer>) =>
    async (...given: Given): Promise<Answer> => {
      signal.throwIfAborted();
      return ask(...given);
    };
  return {
    kind: warehouse.kind,
    async query<Row>(...given: Parameters<Warehouse['query']>): Promise<Row[]> {
      signal.throwIfAborted();
      return warehouse.query<Row>(...given);
    },
    rows: guarded((...given: Parameters<Warehouse['rows']>) => warehouse.rows(...given)),
    command: guarded((...given: Parameters<Warehouse['command']>) => warehouse.command(...given)),
    load: guarded((...given: Parameters<Warehouse['load']>) => warehouse.load(...given)),
    unload: guarded((...given: Parameters<Warehouse['unload']>) => warehouse.unload(...given)),
    ping: () => warehouse.ping(),
    close: () => warehouse.close(),
  };
}
