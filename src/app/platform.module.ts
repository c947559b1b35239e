import { BullModule, getQueueToken } from '@nestjs/bull';
import { Global, Module, type DynamicModule, type Provider } from '@nestjs/common';
import type { Queue } from 'bull';
import { ContextFactory } from '../host/context/index.js';
import { AccessTokens } from '../host/oauth2/index.js';
import { RateBudgets } from '../host/outputs/index.js';
import { PluginRegistry } from '../host/registry/index.js';
import { DatabaseBudgetStore, EmbeddedBudgetStore, RedisBudgetStore } from '../platform/budget/index.js';
import { LinkSigner, SecretBox } from '../platform/crypto/index.js';
import { EgressClient, EgressGuard } from '../platform/http/index.js';
import { Leases } from '../platform/lease/index.js';
import { Metrics } from '../platform/metrics/index.js';
import {
  CLOCK,
  CONFIG,
  DATABASE,
  FILES,
  LOGGER,
  MAILER,
  OPEN_DATABASE,
  WAREHOUSE,
  WORK_QUEUE,
} from '../platform/nest/index.js';
import {
  bullSettings,
  BullWorkQueue,
  InProcessWorkQueue,
  type BullJobData,
} from '../platform/queue/index.js';
import type { Config } from '../platform/env/index.js';
import type { Platform } from './platform.js';
import { WORK_KINDS } from './work-kinds.js';

/** Puts the open platform and the plugins where every feature can inject them. */
@Global()
@Module({})
export class PlatformModule {
  static of(platform: Platform, registry: PluginRegistry): DynamicModule {
    const { config } = platform;
    const providers: Provider[] = [
      { provide: CONFIG, useValue: config },
      { provide: LOGGER, useValue: platform.log },
      { provide: CLOCK, useValue: platform.clock },
      { provide: OPEN_DATABASE, useValue: platform.database },
      { provide: DATABASE, useValue: platform.database.db },
      { provide: WAREHOUSE, useValue: platform.warehouse },
      { provide: FILES, useValue: platform.files },
      { provide: MAILER, useValue: platform.mailer },
      { provide: Metrics, useValue: platform.metrics },
      { provide: EgressGuard, useValue: platform.guard },
      { provide: EgressClient, useValue: platform.http },
      { provide: SecretBox, useValue: platform.secretBox },
      { provide: LinkSigner, useValue: platform.linkSigner },
      { provide: Leases, useValue: platform.leases },
      { provide: PluginRegistry, useValue: registry },
      { provide: ContextFactory, useValue: contextFactory(platform, registry) },
      workQueue(platform),
      rateBudgets(platform),
    ];
    return {
      module: PlatformModule,
      imports: config.redisUrl ? bullModules(config.redisUrl, config) : [],
      providers,
      exports: providers.map((provider) => (typeof provider === 'function' ? provider : provider.provide)),
    };
  }
}

function contextFactory(platform: Platform, registry: PluginRegistry): ContextFactory {
  const { http, destinations, secretBox, guard, clock, log, config, database, leases } = platform;
  const reach = { guard, dropRoots: config.dropRoots };
  const tokens = new AccessTokens(database.db, leases, secretBox, clock);
  return new ContextFactory({ registry, http, destinations, secretBox, reach, clock, log, tokens });
}

function workQueue({ config, log }: Platform): Provider {
  const queueLog = log.child({ context: 'queue' });
  if (!config.redisUrl) return { provide: WORK_QUEUE, useFactory: () => new InProcessWorkQueue(queueLog) };
  return {
    provide: WORK_QUEUE,
    useFactory: (...queues: Queue<BullJobData>[]) => new BullWorkQueue(queues, queueLog),
    inject: WORK_KINDS.map((kind) => getQueueToken(kind)),
  };
}

/** In Redis for any number of processes; else in PostgreSQL; else there is one process, which can remember most itself. */
function rateBudgets({ config, database }: Platform): Provider {
  const kept = new DatabaseBudgetStore(database.db);
  const store = database.kind === 'postgres' ? kept : new EmbeddedBudgetStore(kept);
  if (!config.redisUrl) return { provide: RateBudgets, useValue: new RateBudgets(store) };
  return {
    provide: RateBudgets,
    useFactory: ({ client }: Queue<BullJobData>) =>
      new RateBudgets(new RedisBudgetStore(client, config.redisPrefix)),
    inject: [getQueueToken('delivery')],
  };
}

function bullModules(url: string, { redisPrefix: prefix, leaseMs }: Config): DynamicModule[] {
  return [
    BullModule.forRoot({ url, prefix, settings: bullSettings(leaseMs) }),
    BullModule.registerQueue(...WORK_KINDS.map((name) => ({ name }))),
  ];
}
