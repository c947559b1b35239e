import { Body, Controller, Delete, Get, HttpCode, Patch, Post, Query } from '@nestjs/common';
import {
  ApiCreatedResponse,
  ApiNoContentResponse,
  ApiOkResponse,
  ApiOperation,
  ApiTags,
} from '@nestjs/swagger';
import { ApiPage, AudienceIdParam, IdParam, PageQuery } from '../http/index.js';
import { Access, CurrentPrincipal, type Principal } from '../tenancy/index.js';
import { BulkConnections } from './bulk-connections.js';
import {
  BulkConnect,
  BulkConnectView,
  ConnectionView,
  CreateConnection,
  UpdateConnection,
} from './connections.dto.js';
import { ConnectionsService } from './connections.service.js';

@ApiTags('Connections')
@Controller()
export class ConnectionsController {
  constructor(
    private readonly connections: ConnectionsService,
    private readonly bulk: BulkConnections,
  ) {}

  @Post('audiences/:id/connections')
  @Access('editor')
  @ApiCreatedResponse({ type: ConnectionView })
  create(
    @CurrentPrincipal() principal: Principal,
    @AudienceIdParam() id: number,
    @Body() body: CreateConnection,
  ) {
    return this.connections.create(principal, id, body);
  }

  @Get('audiences/:id/connections')
  @Access('viewer')
  @ApiPage(ConnectionView)
  list(@CurrentPrincipal() principal: Principal, @AudienceIdParam() id: number, @Query() query: PageQuery) {
    return this.connections.list(principal, id, query);
  }

  @Post('connections/bulk')
  @Access('editor')
  @HttpCode(200)
  @ApiOperation({
    summary: 'Connects many audiences and variants to one output; each succeeds or fails by itself',
    description: 'Sent again it makes nothing twice: what is connected just so is among `connected`.',
  })
  @ApiOkResponse({ type: BulkConnectView })
  createMany(@CurrentPrincipal() principal: Principal, @Body() body: BulkConnect) {
    return this.bulk.connect(principal, body);
  }

  @Get('connections/:id')
  @Access('viewer')
  @ApiOkResponse({ type: ConnectionView })
  get(@CurrentPrincipal() principal: Principal, @IdParam('connection') id: string) {
    return this.connections.get(principal, id);
  }

  @Patch('connections/:id')
  @Access('editor')
  @ApiOperation({ summary: 'Changes the settings, pauses (inactive) or activates' })
  @ApiOkResponse({ type: ConnectionView })
  update(
    @CurrentPrincipal() principal: Principal,
    @IdParam('connection') id: string,
    @Body() body: UpdateConnection,
  ) {
    return this.connections.update(principal, id, body);
  }

  @Delete('connections/:id')
  @Access('editor')
  @HttpCode(204)
  @ApiOperation({ summary: 'Ends its deliveries; what the partner has stays there' })
  @ApiNoContentResponse()
  async delete(@CurrentPrincipal() principal: Principal, @IdParam('connection') id: string) {
    await this.connections.delete(principal, id);
  }
}
