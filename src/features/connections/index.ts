export { changeStatus, refuseWhileRemoving } from './connection-status.js';
export { ConnectionFaultView, ConnectionView } from './connections.dto.js';
export { ConnectionNames, type RenameAtPartner } from './connection-names.js';
export { ConnectionsModule } from './connections.module.js';
export { ConnectionsService } from './connections.service.js';
export {
  ConnectionRemovals,
  type BegunRemovals,
  type GoingConnection,
} from './removal/connection-removals.js';
export { neverSent, readGoneConnections } from './removal/gone-connections.js';
export { RemovalView, showRemoval } from './removal/removal.dto.js';
