export * from './config.js';
export { readConfig } from './read-config.js';
