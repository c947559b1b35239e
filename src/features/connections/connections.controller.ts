import { Body, Controller, Delete, Get, HttpCode, Patch, Post, Query } from '@nestjs/common';
import { ApiCreatedResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { ApiPage, AudienceIdParam, IdParam, PageQuery } from '../http/index.js';
import { Access, CurrentPrincipal, type Principal } from '../tenancy/index.js';
import { BulkConnections } from './bulk-connections.js';
import {
  BulkConnect,
  BulkConnectView,
  ConnectionsQuery,
  ConnectionView,
  CreateConnection,
  DeleteConnectionQuery,
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

  @Get('connections')
  @Access('viewer')
  @ApiOperation({
    summary: 'Connections of all audiences; status=removing: deletions that are not at their end',
  })
  @ApiPage(ConnectionView)
  listAll(@CurrentPrincipal() principal: Principal, @Query() query: ConnectionsQuery) {
    return this.connections.listAll(principal, query);
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
  @ApiOperation({
    summary: 'Deletes it: nothing more is sent, and what was sent is removed at the partner, where it can be',
    description:
      'The answer says what becomes of it; GET follows it until the status is removed. Where nothing was sent it is ' +
      'gone at once. Called again, it answers the same.',
  })
  @ApiOkResponse({ type: ConnectionView })
  delete(
    @CurrentPrincipal() principal: Principal,
    @IdParam('connection') id: string,
    @Query() query: DeleteConnectionQuery,
  ) {
    return this.connections.delete(principal, id, query.force === 'true');
  }
}
