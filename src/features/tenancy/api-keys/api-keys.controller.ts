import { Body, Controller, Delete, Get, HttpCode, Patch, Post, Query } from '@nestjs/common';
import { ApiCreatedResponse, ApiNoContentResponse, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { ApiPage, IdParam, mapPage, PageQuery } from '../../http/index.js';
import { Access } from '../access/access.decorator.js';
import { CurrentPrincipal, type Principal } from '../access/principal.js';
import { ApiKeyView, CreateApiKey, CreatedApiKeyView, showApiKey, UpdateApiKey } from './api-keys.dto.js';
import { ApiKeysService } from './api-keys.service.js';

@ApiTags('Tenancy')
@Controller('api-keys')
@Access('admin')
export class ApiKeysController {
  constructor(private readonly keys: ApiKeysService) {}

  @Post()
  @ApiCreatedResponse({ type: CreatedApiKeyView })
  async create(
    @CurrentPrincipal() principal: Principal,
    @Body() body: CreateApiKey,
  ): Promise<CreatedApiKeyView> {
    const { row, key } = await this.keys.create(principal, body);
    return Object.assign(showApiKey(row), { key });
  }

  @Get()
  @ApiPage(ApiKeyView)
  async list(@CurrentPrincipal() principal: Principal, @Query() query: PageQuery) {
    return mapPage(await this.keys.list(principal, query), showApiKey);
  }

  @Get(':id')
  @ApiOkResponse({ type: ApiKeyView })
  async get(@CurrentPrincipal() principal: Principal, @IdParam('API key') id: string) {
    return showApiKey(await this.keys.get(principal, id));
  }

  @Patch(':id')
  @ApiOkResponse({ type: ApiKeyView })
  async rename(
    @CurrentPrincipal() principal: Principal,
    @IdParam('API key') id: string,
    @Body() body: UpdateApiKey,
  ) {
    return showApiKey(await this.keys.rename(principal, id, body));
  }

  /** Revokes the key. */
  @Delete(':id')
  @HttpCode(204)
  @ApiNoContentResponse()
  async revoke(@CurrentPrincipal() principal: Principal, @IdParam('API key') id: string) {
    await this.keys.revoke(principal, id);
  }
}
