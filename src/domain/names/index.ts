export * from './audience-names.js';
export * from './export-names.js';
