import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { Body, Controller, Get, Headers, HttpCode, Post, Query, Req, Res } from '@nestjs/common';
import {
  ApiAcceptedResponse,
  ApiBody,
  ApiConsumes,
  ApiOkResponse,
  ApiOperation,
  ApiProduces,
  ApiTags,
} from '@nestjs/swagger';
import { stringify } from 'csv-stringify';
import type { Request, Response } from 'express';
import { ApiPage, IdParam, wantsCsv } from '../http/index.js';
import { FILE_TYPES } from '../imports/index.js';
import { Access, CurrentPrincipal, type Principal } from '../tenancy/index.js';
import { ErasureRecords } from './erasure-records.js';
import {
  ErasuresQuery,
  ErasureView,
  ErasureWithReceiptsView,
  GivePeople,
  PeopleFileQuery,
  ReceiptQuery,
  ReceiptView,
  WaiveReceipts,
} from './erasures.dto.js';
import { ErasuresService } from './erasures.service.js';
import { beginWithBody } from './file-body.js';

@ApiTags('Erasures')
@Controller('erasures')
export class ErasuresController {
  constructor(
    private readonly erasures: ErasuresService,
    private readonly records: ErasureRecords,
  ) {}

  @Post()
  @Access('admin')
  @HttpCode(202)
  @ApiOperation({
    summary: 'Erases people: they leave every audience and partner, and then the hub forgets them',
    description: 'They are suppressed when this answers. The rest is done in the background.',
  })
  @ApiAcceptedResponse({ type: ErasureView })
  create(@CurrentPrincipal() principal: Principal, @Body() body: GivePeople): Promise<ErasureView> {
    return this.erasures.begin(principal, 'erase', body);
  }

  @Post('file')
  @Access('admin')
  @HttpCode(202)
  @ApiOperation({ summary: 'Erases everybody in the file that is the body' })
  @ApiConsumes(...FILE_TYPES)
  @ApiBody({ schema: { type: 'string', format: 'binary' } })
  @ApiAcceptedResponse({ type: ErasureView })
  createFromFile(
    @CurrentPrincipal() principal: Principal,
    @Query() query: PeopleFileQuery,
    @Req() request: Request,
    @Res({ passthrough: true }) response: Response,
  ): Promise<ErasureView> {
    return beginWithBody(this.erasures, principal, 'erase', query, { request, response });
  }

  @Get()
  @Access('viewer')
  @ApiOperation({ summary: 'Erasures and suppressions, newest first' })
  @ApiPage(ErasureView)
  list(@CurrentPrincipal() principal: Principal, @Query() query: ErasuresQuery) {
    return this.records.list(principal, query);
  }

  @Get(':id')
  @Access('viewer')
  @ApiOkResponse({ type: ErasureWithReceiptsView })
  get(@CurrentPrincipal() principal: Principal, @IdParam('erasure') id: string) {
    return this.records.get(principal, id);
  }

  @Get(':id/receipt')
  @Access('viewer')
  @ApiOperation({ summary: 'What every connection did, as JSON or one CSV file; no personal data' })
  @ApiProduces('application/json', 'text/csv')
  @ApiOkResponse({ type: ErasureWithReceiptsView })
  async receipt(
    @CurrentPrincipal() principal: Principal,
    @IdParam('erasure') id: string,
    @Query() query: ReceiptQuery,
    @Headers('accept') accept: string | undefined,
    @Res({ passthrough: true }) response: Response,
  ) {
    const erasure = await this.records.get(principal, id);
    if (!wantsCsv(query.format, accept)) return erasure;
    response.type('text/csv').attachment(`erasure-${id}.csv`);
    const rows = erasure.receipts.map((receipt) => csvRow(id, receipt));
    await pipeline(Readable.from(rows), stringify({ header: true, columns: [...CSV_COLUMNS] }), response);
    return undefined;
  }

  @Post(':id/waive')
  @Access('admin')
  @HttpCode(200)
  @ApiOperation({
    summary: 'Waits no longer for receipts; what the partner still has is to be settled with it',
  })
  @ApiOkResponse({ type: ErasureWithReceiptsView })
  waive(
    @CurrentPrincipal() principal: Principal,
    @IdParam('erasure') id: string,
    @Body() body: WaiveReceipts,
  ) {
    return this.records.waive(principal, id, body.connectionIds);
  }

  @Post(':id/retry')
  @Access('admin')
  @HttpCode(200)
  @ApiOperation({ summary: 'Begins a failed one again where it stopped' })
  @ApiOkResponse({ type: ErasureWithReceiptsView })
  retry(@CurrentPrincipal() principal: Principal, @IdParam('erasure') id: string) {
    return this.records.retry(principal, id);
  }
}

function csvRow(erasureId: string, receipt: ReceiptView): (string | number | null)[] {
  return CSV_COLUMNS.map((column) => {
    if (column === 'erasureId') return erasureId;
    if (column === 'reason') return receipt.reason?.code ?? null;
    // Named by people: no spreadsheet is to run it.
    if (column === 'output' || column === 'waivedBy') return receipt[column]?.replace(FORMULA, "'") ?? null;
    return receipt[column];
  });
}

const FORMULA = /^(?=[=+\-@\t\r])/;

const CSV_COLUMNS = [
  'erasureId',
  'connectionId',
  'audienceId',
  'output',
  'plugin',
  'version',
  'state',
  'reason',
  'deliveryId',
  'deliveredAt',
  'sent',
  'accepted',
  'rejected',
  'unsupported',
  'notSent',
  'waivedBy',
  'settledAt',
] as const satisfies readonly ('erasureId' | keyof ReceiptView)[];
