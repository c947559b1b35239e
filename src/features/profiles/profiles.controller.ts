import { Controller, Get, Query } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { Access, CurrentPrincipal, type Principal } from '../tenancy/index.js';
import { MpidParam } from './mpid.js';
import { ProfileQuery, ProfileView } from './profiles.dto.js';
import { ProfilesService } from './profiles.service.js';

@ApiTags('Profiles')
@Controller('profiles')
export class ProfilesController {
  constructor(private readonly profiles: ProfilesService) {}

  @Get(':mpid')
  @Access('viewer')
  @ApiOperation({ summary: 'One profile: its identities (masked for viewers) and the audiences it is in' })
  @ApiOkResponse({ type: ProfileView })
  get(
    @CurrentPrincipal() principal: Principal,
    @MpidParam() mpid: string,
    @Query() query: ProfileQuery,
  ): Promise<ProfileView> {
    return this.profiles.get(principal, mpid, query.workspaceId);
  }
}
