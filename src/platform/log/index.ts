export { createLogger, silentLogger, type Logger, type LogOptions } from './logger.js';
export { NestLogger } from './nest-logger.js';
