import { Body, Controller, Delete, Get, HttpCode, Post, Query } from '@nestjs/common';
import { ApiCreatedResponse, ApiNoContentResponse, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { ApiPage, IdParam, mapPage, PageQuery } from '../../http/index.js';
import { Access } from '../access/access.decorator.js';
import { CurrentPrincipal, type Principal } from '../access/principal.js';
import { ApiClientView, CreateApiClient, CreatedApiClientView, showApiClient } from './api-clients.dto.js';
import { ApiClientsService } from './api-clients.service.js';

@ApiTags('Tenancy')
@Controller('api-clients')
@Access('admin')
export class ApiClientsController {
  constructor(private readonly clients: ApiClientsService) {}

  @Post()
  @ApiCreatedResponse({ type: CreatedApiClientView })
  async create(
    @CurrentPrincipal() principal: Principal,
    @Body() body: CreateApiClient,
  ): Promise<CreatedApiClientView> {
    const { row, secret } = await this.clients.create(principal, body);
    return Object.assign(showApiClient(row), { clientSecret: secret });
  }

  @Get()
  @ApiPage(ApiClientView)
  async list(@CurrentPrincipal() principal: Principal, @Query() query: PageQuery) {
    return mapPage(await this.clients.list(principal, query), showApiClient);
  }

  @Get(':id')
  @ApiOkResponse({ type: ApiClientView })
  async get(@CurrentPrincipal() principal: Principal, @IdParam('API client') id: string) {
    return showApiClient(await this.clients.get(principal, id));
  }

  /** Revokes the client; whoever logged in by it is logged out. */
  @Delete(':id')
  @HttpCode(204)
  @ApiNoContentResponse()
  async revoke(@CurrentPrincipal() principal: Principal, @IdParam('API client') id: string) {
    await this.clients.revoke(principal, id);
  }
}
