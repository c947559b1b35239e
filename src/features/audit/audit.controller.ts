import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { Controller, Get, Headers, Query, Res } from '@nestjs/common';
import { ApiOperation, ApiProduces, ApiTags } from '@nestjs/swagger';
import { stringify } from 'csv-stringify';
import type { Response } from 'express';
import { ApiPage, mapPage, wantsCsv } from '../http/index.js';
import { Access, CurrentPrincipal, type Principal } from '../tenancy/index.js';
import { AuditEventView, AuditQuery, showEvent } from './audit.dto.js';
import { AuditService } from './audit.service.js';

const COLUMNS = [
  'sequence',
  'at',
  'organizationId',
  'workspaceId',
  'actorKind',
  'actorId',
  'actorName',
  'userId',
  'requestId',
  'action',
  'objectType',
  'objectId',
  'outcome',
  'code',
  'changes',
] as const satisfies readonly (keyof AuditEventView)[];

@ApiTags('Operation')
@Controller('audit')
export class AuditController {
  constructor(private readonly audit: AuditService) {}

  @Get()
  @Access('admin')
  @ApiOperation({ summary: 'What was done and what happened, by whom; newest first' })
  @ApiProduces('application/json', 'text/csv', 'application/x-ndjson')
  @ApiPage(AuditEventView)
  async list(
    @CurrentPrincipal() principal: Principal,
    @Query() query: AuditQuery,
    @Headers('accept') accept: string | undefined,
    @Res({ passthrough: true }) response: Response,
  ) {
    const { format } = query;
    if (format === 'ndjson' || (format === undefined && accept?.startsWith('application/x-ndjson'))) {
      response.type('application/x-ndjson').attachment('audit.ndjson');
      await pipeline(Readable.from(this.lines(principal, query)), response);
      return undefined;
    }
    if (!wantsCsv(format, accept)) return mapPage(await this.audit.list(principal, query), showEvent);
    response.type('text/csv').attachment('audit.csv');
    // Names are what somebody typed: a spreadsheet must not run them.
    const csv = stringify({ header: true, columns: [...COLUMNS], escape_formulas: true });
    await pipeline(Readable.from(this.records(principal, query)), csv, response);
    return undefined;
  }

  private async *lines(principal: Principal, query: AuditQuery): AsyncGenerator<string> {
    for await (const event of this.audit.all(principal, query)) yield `${JSON.stringify(showEvent(event))}\n`;
  }

  private async *records(principal: Principal, query: AuditQuery) {
    for await (const event of this.audit.all(principal, query)) yield showEvent(event);
  }
}
