import { Controller, Get, Query } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { AudienceIdParam, ApiPage, PageQuery, type Page } from '../../http/index.js';
import { Access, CurrentPrincipal, type Principal } from '../../tenancy/index.js';
import { AudienceAttributeView } from './audience-attributes.dto.js';
import { AudienceAttributes } from './audience-attributes.service.js';

@ApiTags('Audiences')
@Controller('audiences/:id/attributes')
export class AudienceAttributesController {
  constructor(private readonly attributes: AudienceAttributes) {}

  @Get()
  @Access('viewer')
  @ApiOperation({
    summary: 'Attributes that members have, the most frequent first: names and numbers, no values',
  })
  @ApiPage(AudienceAttributeView)
  list(
    @CurrentPrincipal() principal: Principal,
    @AudienceIdParam() id: number,
    @Query() query: PageQuery,
  ): Promise<Page<AudienceAttributeView>> {
    return this.attributes.list(principal, id, query);
  }
}
