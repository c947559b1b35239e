export { AbTestsModule } from './ab-tests.module.js';
