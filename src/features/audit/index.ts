export { AuditModule } from './audit.module.js';
export { recordRefusal } from './record-refusal.js';
