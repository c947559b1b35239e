export { ERRORS, type ErrorCode } from './catalogue.js';
export { HubError, notFound, type FieldProblem } from './hub-error.js';
