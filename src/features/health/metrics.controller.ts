import { Controller, Get, Res } from '@nestjs/common';
import { ApiOkResponse, ApiProduces, ApiTags } from '@nestjs/swagger';
import type { Response } from 'express';
import { Metrics } from '../../platform/metrics/index.js';
import { InjectWorkQueue } from '../../platform/nest/index.js';
import type { WorkQueue } from '../../platform/queue/index.js';
import { Access, CurrentPrincipal, requireHubScope, type Principal } from '../tenancy/index.js';

@ApiTags('Operation')
@Controller('metrics')
export class MetricsController {
  constructor(
    private readonly metrics: Metrics,
    @InjectWorkQueue() queue: WorkQueue,
  ) {
    metrics.watchQueueDepth(async () => {
      const counts = Object.entries(await queue.counts());
      return Object.fromEntries(counts.map(([kind, { waiting, delayed }]) => [kind, waiting + delayed]));
    });
  }

  /** For Prometheus, with a viewer's key of the whole hub: the figures are of all workspaces. */
  @Get()
  @Access('viewer')
  @ApiProduces('text/plain')
  @ApiOkResponse({ schema: { type: 'string' } })
  async get(@CurrentPrincipal() principal: Principal, @Res() response: Response): Promise<void> {
    requireHubScope(principal, 'Reading the metrics');
    const { contentType, body } = await this.metrics.text();
    response.setHeader('content-type', contentType);
    response.end(body);
  }
}
