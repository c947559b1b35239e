import { Body, Controller, HttpCode, Post } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { ConnectionView } from '../../connections/index.js';
import { IdParam } from '../../http/index.js';
import { Access, CurrentPrincipal, type Principal } from '../../tenancy/index.js';
import { Reconcile } from './reconcile.dto.js';
import { ReconcileService } from './reconcile.service.js';

@ApiTags('Connections')
@Controller('connections/:id/reconcile')
export class ReconcileController {
  constructor(private readonly service: ReconcileService) {}

  @Post()
  @Access('editor')
  @HttpCode(200)
  @ApiOperation({
    summary: 'Compares what the partner says it has with what the hub counts as accepted there',
    description: 'The hub does so by itself once a day, for partners that tell.',
  })
  @ApiOkResponse({ type: ConnectionView })
  reconcile(
    @CurrentPrincipal() principal: Principal,
    @IdParam('connection') id: string,
    @Body() body: Reconcile,
  ) {
    return this.service.reconcile(principal, id, body);
  }
}
