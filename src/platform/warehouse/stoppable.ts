import type { Held } from '../lease/index.js';
import type { Warehouse } from './warehouse.js';

/**
 * The same warehouse, for work that only the holder of a lease may do: nothing is asked of it any more once that is lost, or
 * may be. What was asked before runs to its end.
 */
export function stoppable(warehouse: Warehouse, held: Held): Warehouse {
  const confirmed = async (): Promise<void> => {
    await held.confirm();
    held.signal.throwIfAborted();
  };
  /** As a promise that fails, like any other failure of the engine. */
  const guarded =
    <Given extends unknown[], Answer>(ask: (...given: Given) => Promise<Answer>) =>
    async (...given: Given): Promise<Answer> => {
      await confirmed();
      return ask(...given);
    };
  return {
    kind: warehouse.kind,
    async query<Row>(...given: Parameters<Warehouse['query']>): Promise<Row[]> {
      await confirmed();
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
