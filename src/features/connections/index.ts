export { changeStatus, refuseWhileRemoving } from './connection-status.js';
export { ConnectionView } from './connections.dto.js';
export { ConnectionNames, type RenameAtPartner } from './connection-names.js';
export { ConnectionsModule } from './connections.module.js';
export { ConnectionsService } from './connections.service.js';
export {
  ConnectionRemovals,
  type BegunRemovals,
  type GoingConnection,
} from './removal/connection-removals.js';
export { RemovalView } from './removal/removal.dto.js';
