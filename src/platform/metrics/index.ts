export { Metrics, type Readings } from './metrics.js';
