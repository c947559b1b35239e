import { pipeline } from 'node:stream/promises';
import { Body, Controller, Get, Headers, HttpCode, Post, Query, Res } from '@nestjs/common';
import {
  ApiExtraModels,
  ApiOkResponse,
  ApiOperation,
  ApiProduces,
  ApiTags,
  getSchemaPath,
} from '@nestjs/swagger';
import type { Response } from 'express';
import { isConnectorError } from '../../kit/index.js';
import { HubError } from '../../domain/errors/index.js';
import { ApiPage, IdParam, mapPage, wantsCsv } from '../http/index.js';
import { Access, CurrentPrincipal, type Principal } from '../tenancy/index.js';
import { signalOf } from './dry-run/dry-run.controller.js';
import { DryScanView, ScanRequest, showDryScan } from './dry-run/dry-run.dto.js';
import { DryScanService } from './dry-run/dry-scan.service.js';
import {
  ImportErrorsQuery,
  ImportErrorView,
  ImportsQuery,
  ImportView,
  ScanView,
  showImport,
} from './imports.dto.js';
import { ImportsService } from './imports.service.js';
import { ScanService } from './scan/scan.service.js';

@ApiTags('Imports')
@Controller()
export class ImportsController {
  constructor(
    private readonly imports: ImportsService,
    private readonly scans: ScanService,
    private readonly dryScans: DryScanService,
  ) {}

  @Get('imports')
  @Access('viewer')
  @ApiPage(ImportView)
  async list(@CurrentPrincipal() principal: Principal, @Query() query: ImportsQuery) {
    return mapPage(await this.imports.list(principal, query), showImport);
  }

  @Get('imports/:id')
  @Access('viewer')
  @ApiOkResponse({ type: ImportView })
  async get(@CurrentPrincipal() principal: Principal, @IdParam('import') id: string) {
    return showImport(await this.imports.get(principal, id));
  }

  @Get('imports/:id/errors')
  @Access('viewer')
  @ApiOperation({ summary: 'The first 1,000 problems by page, or every rejected row as one CSV' })
  @ApiProduces('application/json', 'text/csv')
  @ApiPage(ImportErrorView)
  async errors(
    @CurrentPrincipal() principal: Principal,
    @IdParam('import') id: string,
    @Query() query: ImportErrorsQuery,
    @Headers('accept') accept: string | undefined,
    @Res({ passthrough: true }) response: Response,
  ) {
    if (!wantsCsv(query.format, accept)) {
      const page = await this.imports.errors(principal, id, query);
      return mapPage(page, ({ row, column, code, message, value }) => ({
        row,
        column,
        code,
        message,
        value,
      }));
    }
    const rejects = await this.imports.rejects(principal, id);
    response.type('text/csv').attachment(`rejects-${id}.csv`);
    if (rejects === undefined) response.end('row,column,code,message,value\n');
    else await pipeline(rejects, response);
  }

  @Post('imports/:id/release')
  @Access('editor')
  @HttpCode(200)
  @ApiOperation({ summary: 'Publish a held import' })
  @ApiOkResponse({ type: ImportView })
  async release(@CurrentPrincipal() principal: Principal, @IdParam('import') id: string) {
    return showImport(await this.imports.release(principal, id));
  }

  @Post('imports/:id/discard')
  @Access('editor')
  @HttpCode(200)
  @ApiOkResponse({ type: ImportView })
  async discard(@CurrentPrincipal() principal: Principal, @IdParam('import') id: string) {
    return showImport(await this.imports.discard(principal, id));
  }

  @Post('inputs/:id/scan')
  @Access('editor')
  @HttpCode(200)
  @ApiOperation({
    summary: 'List the files of the input now and queue what is new',
    description: 'With dryRun: true nothing is queued, and the answer says what would be imported.',
  })
  @ApiExtraModels(ScanView, DryScanView)
  @ApiOkResponse({
    schema: { oneOf: [ScanView, DryScanView].map((view) => ({ $ref: getSchemaPath(view) })) },
  })
  async scan(
    @CurrentPrincipal() principal: Principal,
    @IdParam('input') id: string,
    @Body() body: ScanRequest,
    @Res({ passthrough: true }) response: Response,
  ) {
    await this.imports.requireInput(principal, id);
    if (body.dryRun === true) {
      return showDryScan(await this.dryScans.scan(principal, id, signalOf(response)));
    }
    try {
      return await this.scans.scan(id, AbortSignal.timeout(SCAN_TIMEOUT_MS));
    } catch (error) {
      if (isConnectorError(error)) throw new HubError('UNAVAILABLE', `${error.message} (${error.code})`);
      throw error;
    }
  }
}

/** A scan of a request must end before proxies give up on it; the ten-minute scan goes on where it stopped. */
const SCAN_TIMEOUT_MS = 5 * 60 * 1000;
