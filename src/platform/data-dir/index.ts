export { DataDirUnusableError, openDataDir, type DataDir } from './data-dir.js';
export { DataDirLockedError } from './lock.js';
