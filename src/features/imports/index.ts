export { ImportsModule } from './imports.module.js';
export { ScanService } from './scan/scan.service.js';
