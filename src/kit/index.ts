export * from './connector.js';
export * from './fault.js';
export * from './identity-types.js';
export * from './input.js';
export * from './output.js';
export * from './settings.js';
