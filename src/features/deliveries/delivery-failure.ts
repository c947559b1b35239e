import { asConnectorError } from '../../host/outputs/index.js';
import { ConnectorError } from '../../kit/index.js';
import { LeaseLostError } from '../../platform/lease/index.js';
import type { Logger } from '../../platform/log/index.js';
import { WarehouseError } from '../../platform/warehouse/index.js';
import type { DeliveryOrder } from './delivery-rows.js';

/** What is no failure of the partner, and yet has to be named. Throws where the lease was lost: others go on. */
export function failureOf(
  thrown: unknown,
  { output }: Pick<DeliveryOrder, 'output'>,
  log: Logger,
): ConnectorError {
  if (thrown instanceof ConnectorError) return thrown;
  if (thrown instanceof LeaseLostError) throw thrown;
  if (thrown instanceof WarehouseError) {
    log.error({ err: thrown }, 'the warehouse did not hand over members');
    return new ConnectorError('retryable', 'WAREHOUSE_FAILED', WAREHOUSE_FAILED);
  }
  log.error({ err: thrown }, 'delivery failed');
  return asConnectorError(thrown, output.plugin, []);
}

const WAREHOUSE_FAILED =
  "The hub's warehouse did not hand over the members. The log has its message; the delivery is tried again.";
