import { Body, Controller, HttpCode, Post } from '@nestjs/common';
import { ApiCreatedResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { IdParam } from '../http/index.js';
import { Access, CurrentPrincipal, type Principal } from '../tenancy/index.js';
import { ApplyPlan, PlanView, showPlan } from './plans.dto.js';
import { PlansService } from './plans.service.js';

@ApiTags('Connections')
@Controller('connections/:id/plan')
export class PlansController {
  constructor(private readonly plans: PlansService) {}

  @Post()
  @Access('editor')
  @ApiOperation({ summary: 'Counts what the connection would send now, and sends nothing' })
  @ApiCreatedResponse({ type: PlanView })
  async make(@CurrentPrincipal() principal: Principal, @IdParam('connection') id: string) {
    return showPlan(await this.plans.make(principal, id));
  }

  @Post('apply')
  @Access('editor')
  @HttpCode(200)
  @ApiOperation({
    summary: 'Activates the connection and sends what was planned; 409 where that has changed',
  })
  @ApiOkResponse({ type: PlanView })
  async apply(
    @CurrentPrincipal() principal: Principal,
    @IdParam('connection') id: string,
    @Body() body: ApplyPlan,
  ) {
    return showPlan(await this.plans.apply(principal, id, body.planId));
  }
}
