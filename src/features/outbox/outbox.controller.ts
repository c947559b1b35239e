import { Controller, Get, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { ApiPage, mapPage } from '../http/index.js';
import { Access, CurrentPrincipal, type Principal } from '../tenancy/index.js';
import { OutboxMailView, OutboxQuery, showMail } from './outbox.dto.js';
import { OutboxService } from './outbox.service.js';

@ApiTags('Operation')
@Controller('outbox')
export class OutboxController {
  constructor(private readonly outbox: OutboxService) {}

  /** Newest first. For admins, because mails hold addresses and links that open downloads. */
  @Get()
  @Access('admin')
  @ApiPage(OutboxMailView)
  async list(@CurrentPrincipal() principal: Principal, @Query() query: OutboxQuery) {
    return mapPage(await this.outbox.list(principal, query), showMail);
  }
}
