import { Controller, HttpCode, Post } from '@nestjs/common';
import { ApiNoContentResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { AudienceIdParam } from '../../http/index.js';
import { Access, CurrentPrincipal, type Principal } from '../../tenancy/index.js';
import { ApprovalService } from './approval.service.js';

@ApiTags('Imports')
@Controller('audiences/:id')
@Access('admin')
export class ApprovalController {
  constructor(private readonly approvals: ApprovalService) {}

  @Post('approve')
  @HttpCode(204)
  @ApiOperation({ summary: 'Approves an uploaded audience of an organization with uploadApproval manual' })
  @ApiNoContentResponse()
  async approve(@CurrentPrincipal() principal: Principal, @AudienceIdParam() id: number) {
    await this.approvals.approve(principal, id);
  }

  @Post('reject')
  @HttpCode(204)
  @ApiOperation({ summary: 'Rejects an uploaded audience: nothing of its file is ever published' })
  @ApiNoContentResponse()
  async reject(@CurrentPrincipal() principal: Principal, @AudienceIdParam() id: number) {
    await this.approvals.reject(principal, id);
  }
}
