import { Module } from '@nestjs/common';
import { ConnectorSettings } from './connector-settings.service.js';

/** What inputs and outputs have in common. */
@Module({ providers: [ConnectorSettings], exports: [ConnectorSettings] })
export class ConnectorsModule {}
