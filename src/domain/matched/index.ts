export * from './column-list.js';
export * from './read-columns.js';
export * from './static-lists.js';
