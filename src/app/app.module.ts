import { Module, type DynamicModule } from '@nestjs/common';
import { AbTestsModule } from '../features/ab-tests/index.js';
import { AuditModule } from '../features/audit/index.js';
import { AudiencesModule } from '../features/audiences/index.js';
import { CatalogueModule } from '../features/catalogue/index.js';
import { ConnectionsModule } from '../features/connections/index.js';
import { DeliveriesModule } from '../features/deliveries/index.js';
import { DemoModule } from '../features/demo/index.js';
import { ErasuresModule } from '../features/erasures/index.js';
import { ExportsModule } from '../features/exports/index.js';
import { FaultsModule } from '../features/faults/index.js';
import { HealthModule } from '../features/health/index.js';
import { HooksModule } from '../features/hooks/index.js';
import { ImportsModule } from '../features/imports/index.js';
import { InputsModule } from '../features/inputs/index.js';
import { MatchedModule } from '../features/matched/index.js';
import { IntakeModule } from '../features/intake/index.js';
import { NoticesModule } from '../features/notices/index.js';
import { OutboxModule } from '../features/outbox/index.js';
import { PlansModule } from '../features/plans/index.js';
import { OutputsModule } from '../features/outputs/index.js';
import { ProfilesModule } from '../features/profiles/index.js';
import { TenancyModule } from '../features/tenancy/index.js';
import { UpkeepModule } from '../features/upkeep/index.js';
import type { PluginRegistry } from '../host/registry/index.js';
import type { Platform } from './platform.js';
import { PlatformModule } from './platform.module.js';

/** The features of the hub. A new one needs a line here and nothing else. */
const FEATURES = [
  TenancyModule,
  AuditModule,
  CatalogueModule,
  InputsModule,
  ImportsModule,
  IntakeModule,
  HooksModule,
  OutputsModule,
  OutboxModule,
  NoticesModule,
  ConnectionsModule,
  DeliveriesModule,
  FaultsModule,
  PlansModule,
  UpkeepModule,
  AudiencesModule,
  AbTestsModule,
  ProfilesModule,
  ExportsModule,
  ErasuresModule,
  MatchedModule,
  HealthModule,
  DemoModule,
];

@Module({})
export class AppModule {
  static of(platform: Platform, registry: PluginRegistry): DynamicModule {
    return { module: AppModule, imports: [PlatformModule.of(platform, registry), ...FEATURES] };
  }
}
