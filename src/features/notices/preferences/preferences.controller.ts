import { Body, Controller, Get, Put } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { IdParam } from '../../http/index.js';
import { Access, CurrentPrincipal, type Principal } from '../../tenancy/index.js';
import { PreferencesView, UpdatePreferences } from './preferences.dto.js';
import { PreferencesService } from './preferences.service.js';

@ApiTags('Tenancy')
@Controller('users')
export class PreferencesController {
  constructor(private readonly preferences: PreferencesService) {}

  @Get('me/notifications')
  @Access('viewer')
  @ApiOperation({ summary: 'Which mails the person of this API key gets' })
  @ApiOkResponse({ type: PreferencesView })
  getOwn(@CurrentPrincipal() principal: Principal) {
    return this.preferences.getOwn(principal);
  }

  @Put('me/notifications')
  @Access('viewer')
  @ApiOperation({ summary: 'Chooses which mails the person of this API key gets' })
  @ApiOkResponse({ type: PreferencesView })
  setOwn(@CurrentPrincipal() principal: Principal, @Body() body: UpdatePreferences) {
    return this.preferences.setOwn(principal, body);
  }

  @Get(':id/notifications')
  @Access('viewer')
  @ApiOkResponse({ type: PreferencesView })
  get(@CurrentPrincipal() principal: Principal, @IdParam('user') id: string) {
    return this.preferences.get(principal, id);
  }

  @Put(':id/notifications')
  @Access('admin')
  @ApiOkResponse({ type: PreferencesView })
  set(
    @CurrentPrincipal() principal: Principal,
    @IdParam('user') id: string,
    @Body() body: UpdatePreferences,
  ) {
    return this.preferences.set(principal, id, body);
  }
}
