import { pipeline } from 'node:stream/promises';
import { Body, Controller, Get, Headers, Post, Query, Res } from '@nestjs/common';
import {
  ApiBearerAuth,
  ApiCreatedResponse,
  ApiOkResponse,
  ApiOperation,
  ApiProduces,
  ApiTags,
} from '@nestjs/swagger';
import type { Response } from 'express';
import { ApiPage, IdParam } from '../http/index.js';
import { Access, CurrentPrincipal, Public, type Principal } from '../tenancy/index.js';
import { parseRange } from './download/byte-range.js';
import { asGone, DownloadService } from './download/download.service.js';
import { CreateExport, DownloadQuery, ExportsQuery, ExportView } from './exports.dto.js';
import { ExportsService } from './exports.service.js';

@ApiTags('Exports')
@Controller('exports')
export class ExportsController {
  constructor(
    private readonly exports: ExportsService,
    private readonly downloads: DownloadService,
  ) {}

  @Post()
  @Access('editor')
  @ApiOperation({ summary: 'Asks for an archive; it is made in the background' })
  @ApiCreatedResponse({ type: ExportView })
  create(@CurrentPrincipal() principal: Principal, @Body() body: CreateExport): Promise<ExportView> {
    return this.exports.create(principal, body);
  }

  @Get()
  @Access('viewer')
  @ApiPage(ExportView)
  list(@CurrentPrincipal() principal: Principal, @Query() query: ExportsQuery) {
    return this.exports.list(principal, query);
  }

  @Get(':id')
  @Access('viewer')
  @ApiOkResponse({ type: ExportView })
  get(@CurrentPrincipal() principal: Principal, @IdParam('export') id: string): Promise<ExportView> {
    return this.exports.get(principal, id);
  }

  @Get(':id/download')
  @Public()
  @ApiBearerAuth()
  @ApiOperation({ summary: 'The archive, for the key of an editor or whoever has the signed link' })
  @ApiProduces('application/zip')
  async download(
    @IdParam('export') id: string,
    @Query() query: DownloadQuery,
    @Headers('authorization') authorization: string | undefined,
    @Headers('range') rangeHeader: string | undefined,
    @Res() response: Response,
  ): Promise<void> {
    const archive = await this.downloads.open(id, {
      expires: query.expires,
      signature: query.signature,
      authorization,
    });
    const range = parseRange(rangeHeader, archive.sizeBytes);
    response.setHeader('Accept-Ranges', 'bytes');
    if (range === 'unsatisfiable') {
      response.status(416).setHeader('Content-Range', `bytes */${archive.sizeBytes}`).end();
      return;
    }
    const wanted = range === 'whole' ? undefined : range;
    const body = await this.downloads.files.get(archive.fileKey, wanted).catch((error: unknown) => {
      throw asGone(error);
    });
    if (wanted) {
      const last = wanted.offsetBytes + wanted.lengthBytes - 1;
      response.status(206);
      response.setHeader('Content-Range', `bytes ${wanted.offsetBytes}-${last}/${archive.sizeBytes}`);
    }
    response.setHeader('Content-Type', 'application/zip');
    response.setHeader('Content-Length', wanted?.lengthBytes ?? archive.sizeBytes);
    response.setHeader('Content-Disposition', `attachment; filename="${archive.fileName}"`);
    response.setHeader('Cache-Control', 'private, no-store');
    // A reader that goes away in the middle is its own affair; so is a file that ends early, which it sees.
    await pipeline(body, response).catch(() => response.destroy());
  }
}
