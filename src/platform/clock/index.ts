export * from './clock.js';
export { elapsedClock } from './elapsed.js';
