export { OutboxModule } from './outbox.module.js';
export { OutboxService, type Post } from './outbox.service.js';
