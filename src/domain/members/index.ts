export * from './member-text.js';
