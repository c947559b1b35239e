import { Controller, Get, Query } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { ApiPage, AudienceIdParam, PageQuery } from '../../http/index.js';
import { Access, CurrentPrincipal, type Principal } from '../../tenancy/index.js';
import { MembersQuery, MembersView, TimelineQuery, TimelineView, VersionView } from './members.dto.js';
import { MembersService } from './members.service.js';

@ApiTags('Audiences')
@Controller('audiences/:id')
export class MembersController {
  constructor(private readonly service: MembersService) {}

  @Get('members')
  @Access('viewer')
  @ApiOperation({ summary: 'Members of the published version, by key: read on with after=next' })
  @ApiOkResponse({ type: MembersView })
  members(
    @CurrentPrincipal() principal: Principal,
    @AudienceIdParam() id: number,
    @Query() query: MembersQuery,
  ): Promise<MembersView> {
    return this.service.members(principal, id, query);
  }

  @Get('versions')
  @Access('viewer')
  @ApiOperation({ summary: 'Published versions, the newest first' })
  @ApiPage(VersionView)
  versions(
    @CurrentPrincipal() principal: Principal,
    @AudienceIdParam() id: number,
    @Query() query: PageQuery,
  ) {
    return this.service.versions(principal, id, query);
  }

  @Get('timeline')
  @Access('viewer')
  @ApiOperation({ summary: 'Every change of one profile in this audience, and why' })
  @ApiOkResponse({ type: TimelineView })
  timeline(
    @CurrentPrincipal() principal: Principal,
    @AudienceIdParam() id: number,
    @Query() query: TimelineQuery,
  ): Promise<TimelineView> {
    return this.service.timeline(principal, id, query);
  }
}
