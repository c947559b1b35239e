import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { DocumentBuilder, SwaggerModule, type OpenAPIObject } from '@nestjs/swagger';
import { recordRefusal } from '../features/audit/index.js';
import type { PluginRegistry } from '../host/registry/index.js';
import { NestLogger } from '../platform/log/index.js';
import { hubVersion } from '../platform/package-root.js';
import { AppModule } from './app.module.js';
import { useBefore, useBehind } from './http/express.js';
import { ProblemFilter } from './http/problem.filter.js';
import { validationPipe } from './http/validation.js';
import type { Platform } from './platform.js';

/** Addresses outside /api/v1: for whoever runs the hub, and IQM's own API, whose paths are IQM's. */
const OUTSIDE_PREFIX = ['health', 'metrics', 'api/v2/{*path}', 'api/v3/{*path}'];

/** The Nest application over an open platform; initialised, not yet listening. */
export async function createApp(
  platform: Platform,
  registry: PluginRegistry,
): Promise<NestExpressApplication> {
  const log = platform.log.child({ context: 'http' });
  const app = await NestFactory.create<NestExpressApplication>(AppModule.of(platform, registry), {
    logger: new NestLogger(platform.log),
    bodyParser: false,
    abortOnError: false,
  });
  const filter = new ProblemFilter(log, (request, { code, status }) =>
    recordRefusal(platform.database.db, request, code, status),
  );
  useBefore(app, platform.config.roles.has('api'));
  app.setGlobalPrefix('api/v1', { exclude: OUTSIDE_PREFIX });
  app.useGlobalPipes(validationPipe());
  app.useGlobalFilters(filter);
  SwaggerModule.setup('docs', app, () => describeApi(app), { jsonDocumentUrl: 'docs-json' });
  await app.init();
  useBehind(app, filter);
  return app;
}

/** The OpenAPI document of the routes. */
export function describeApi(app: NestExpressApplication): OpenAPIObject {
  const description = new DocumentBuilder()
    .setTitle('Audience hub')
    .setDescription('Errors are application/problem+json; docs/errors.md lists the codes.')
    .setVersion(hubVersion)
    .addBearerAuth()
    .build();
  return SwaggerModule.createDocument(app, description);
}
