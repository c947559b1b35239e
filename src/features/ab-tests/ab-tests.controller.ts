import { Body, Controller, Delete, Get, HttpCode, Put } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { AudienceIdParam } from '../http/index.js';
import { Access, CurrentPrincipal, type Principal } from '../tenancy/index.js';
import { AbTestView, EndedAbTestView, SetAbTest } from './ab-tests.dto.js';
import { AbTestsService } from './ab-tests.service.js';

@ApiTags('Audiences')
@Controller('audiences/:id/ab-test')
export class AbTestsController {
  constructor(private readonly tests: AbTestsService) {}

  @Put()
  @Access('editor')
  @ApiOperation({
    summary: 'Parts the audience into variants; fixed once saved, so a second call is refused',
  })
  @ApiOkResponse({ type: AbTestView })
  set(
    @CurrentPrincipal() principal: Principal,
    @AudienceIdParam() id: number,
    @Body() body: SetAbTest,
  ): Promise<AbTestView> {
    return this.tests.set(principal, id, body);
  }

  @Get()
  @Access('viewer')
  @ApiOkResponse({ type: AbTestView })
  get(@CurrentPrincipal() principal: Principal, @AudienceIdParam() id: number): Promise<AbTestView> {
    return this.tests.get(principal, id);
  }

  @Delete()
  @Access('editor')
  @HttpCode(200)
  @ApiOperation({
    summary:
      'Ends the test, with its variants and their connections; says what becomes of what they had sent',
  })
  @ApiOkResponse({ type: EndedAbTestView })
  delete(@CurrentPrincipal() principal: Principal, @AudienceIdParam() id: number): Promise<EndedAbTestView> {
    return this.tests.delete(principal, id);
  }
}
