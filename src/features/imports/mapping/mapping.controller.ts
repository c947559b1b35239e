import { Body, Controller, Get, HttpCode, Post, Query } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { ApiPage, AudienceIdParam, mapPage, PageQuery } from '../../http/index.js';
import { Access, CurrentPrincipal, type Principal } from '../../tenancy/index.js';
import { ImportView, showImport } from '../imports.dto.js';
import { ApproveMapping, MappingView, showMapping } from './mapping.dto.js';
import { MappingService } from './mapping.service.js';

@ApiTags('Imports')
@Controller('audiences/:id/mapping')
export class MappingController {
  constructor(private readonly mappings: MappingService) {}

  @Get()
  @Access('viewer')
  @ApiOperation({ summary: 'The column mappings of the audience, the one in force first' })
  @ApiPage(MappingView)
  async list(
    @CurrentPrincipal() principal: Principal,
    @AudienceIdParam() id: number,
    @Query() query: PageQuery,
  ) {
    return mapPage(await this.mappings.list(principal, id, query), showMapping);
  }

  @Post('approve')
  @Access('admin')
  @HttpCode(200)
  @ApiOperation({
    summary: 'Approves the changed columns of a blocked import, and takes the import up again',
    description: 'The members stay as they are until it is published. To reject the columns, do nothing.',
  })
  @ApiOkResponse({ type: ImportView })
  async approve(
    @CurrentPrincipal() principal: Principal,
    @AudienceIdParam() id: number,
    @Body() body: ApproveMapping,
  ) {
    return showImport(await this.mappings.approve(principal, id, body.importId));
  }
}
