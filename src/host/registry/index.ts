export { requireExpiry } from './expiry.js';
export * from './external-plugins.js';
export * from './plugin-registry.js';
export { InvalidSettingsError, type SettingsProblem } from './settings.js';
