import { Controller, Get, Res } from '@nestjs/common';
import { ApiOkResponse, ApiProperty, ApiServiceUnavailableResponse, ApiTags } from '@nestjs/swagger';
import type { Response } from 'express';
import type { Config } from '../../platform/env/index.js';
import { InjectConfig } from '../../platform/nest/index.js';
import { hubVersion } from '../../platform/package-root.js';
import { Public } from '../tenancy/index.js';
import { HealthService, type PartHealth } from './health.service.js';

const STATES = ['ok', 'failing'] as const;

export class HealthView {
  @ApiProperty({ enum: STATES })
  status!: PartHealth;
  @ApiProperty({ type: [String], example: ['api', 'worker', 'scheduler'] })
  roles!: string[];
  @ApiProperty({ enum: STATES })
  database!: PartHealth;
  @ApiProperty({ enum: STATES })
  warehouse!: PartHealth;
  @ApiProperty({ enum: STATES })
  queue!: PartHealth;
  @ApiProperty({ example: '1.0.0' })
  version!: string;
}

@ApiTags('Operation')
@Controller('health')
export class HealthController {
  constructor(
    private readonly health: HealthService,
    @InjectConfig() private readonly config: Config,
  ) {}

  /** 503 with the same body where a part does not answer. */
  @Get()
  @Public()
  @ApiOkResponse({ type: HealthView })
  @ApiServiceUnavailableResponse({ type: HealthView })
  async get(@Res({ passthrough: true }) response: Response): Promise<HealthView> {
    const parts = await this.health.parts();
    const status = Object.values(parts).every((part) => part === 'ok') ? 'ok' : 'failing';
    if (status !== 'ok') response.status(503);
    return { status, roles: [...this.config.roles], ...parts, version: hubVersion };
  }
}
