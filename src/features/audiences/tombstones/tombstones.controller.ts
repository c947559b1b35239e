import { Body, Controller, Get, HttpCode, Post, Query } from '@nestjs/common';
import { ApiNoContentResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { ApiPage, IdParam, PageQuery } from '../../http/index.js';
import { Access, CurrentPrincipal, type Principal } from '../../tenancy/index.js';
import { LiftTombstone, TombstoneView } from './tombstones.dto.js';
import { TombstonesService } from './tombstones.service.js';

@ApiTags('Inputs')
@Controller('inputs/:id/tombstones')
export class TombstonesController {
  constructor(private readonly tombstones: TombstonesService) {}

  @Get()
  @Access('viewer')
  @ApiOperation({ summary: 'Source keys that make no audience, because theirs was deleted' })
  @ApiPage(TombstoneView)
  list(@CurrentPrincipal() principal: Principal, @IdParam('input') id: string, @Query() query: PageQuery) {
    return this.tombstones.list(principal, id, query);
  }

  @Post('lift')
  @Access('admin')
  @HttpCode(204)
  @ApiOperation({ summary: 'Lets a source key make an audience again, with the next scan' })
  @ApiNoContentResponse()
  async lift(
    @CurrentPrincipal() principal: Principal,
    @IdParam('input') id: string,
    @Body() body: LiftTombstone,
  ): Promise<void> {
    await this.tombstones.lift(principal, id, body.key);
  }
}
