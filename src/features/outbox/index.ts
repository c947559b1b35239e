export { OutboxModule } from './outbox.module.js';
export { NOBODY, OutboxService, type Post } from './outbox.service.js';
