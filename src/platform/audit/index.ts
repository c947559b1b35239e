export { changesOf } from './changes.js';
export { recordAudit, type AuditEntry } from './record-audit.js';
export {
  actAs,
  asRequest,
  asSystem,
  currentRequest,
  type AuditActor,
  type RequestContext,
} from './request-context.js';
