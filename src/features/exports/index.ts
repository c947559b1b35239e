export { ExportSweep } from './export-sweep.js';
export { ExportsModule } from './exports.module.js';
