import type { PartnerLine } from '../../host/outputs/index.js';
import type { DeliveryOrder } from './delivery-rows.js';

/** Opens the way to a connection's partner. Throws a ConnectorError of kind `config` where it cannot be. */
export abstract class PartnerLines {
  abstract open(order: Pick<DeliveryOrder, 'connection' | 'output'>): Promise<PartnerLine>;
}
