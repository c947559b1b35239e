export { CheckView, runCheck } from './check.js';
export { ConnectorSettings, type GivenConnector } from './connector-settings.service.js';
export { ConnectorsModule } from './connectors.module.js';
