export type { RowProblem } from '../../../domain/files/index.js';
export * from './preflight.js';
export * from './report.js';
export { warmUp } from './run-in-worker.js';
