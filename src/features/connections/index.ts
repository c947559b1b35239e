export { changeStatus, lockConnection } from './connection-status.js';
export { ConnectionView } from './connections.dto.js';
export { ConnectionNames, type RenameAtPartner } from './connection-names.js';
export { ConnectionsModule } from './connections.module.js';
export { ConnectionsService } from './connections.service.js';
