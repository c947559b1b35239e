import { Controller, Get, HttpCode, Post, Query } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { ApiPage, IdParam, mapPage } from '../http/index.js';
import { Access, CurrentPrincipal, type Principal } from '../tenancy/index.js';
import { FaultsQuery, FaultView, showFault } from './faults.dto.js';
import { FaultsService } from './faults.service.js';

@ApiTags('Faults')
@Controller('faults')
export class FaultsController {
  constructor(private readonly faults: FaultsService) {}

  @Get()
  @Access('viewer')
  @ApiPage(FaultView)
  async list(@CurrentPrincipal() principal: Principal, @Query() query: FaultsQuery) {
    return mapPage(await this.faults.list(principal, query), showFault);
  }

  @Get(':id')
  @Access('viewer')
  @ApiOkResponse({ type: FaultView })
  async get(@CurrentPrincipal() principal: Principal, @IdParam('fault') id: string) {
    return showFault(await this.faults.get(principal, id));
  }

  @Post(':id/resume')
  @Access('editor')
  @HttpCode(200)
  @ApiOperation({ summary: 'Resolves the fault; the connection goes on from where it stopped' })
  @ApiOkResponse({ type: FaultView })
  async resume(@CurrentPrincipal() principal: Principal, @IdParam('fault') id: string) {
    return showFault(await this.faults.resume(principal, id));
  }
}
