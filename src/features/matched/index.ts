export { errorEnvelope, isIqmPath } from './envelope/envelope.js';
export { MatchedModule } from './matched.module.js';
