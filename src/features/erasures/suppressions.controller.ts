import { Body, Controller, Delete, Get, HttpCode, Post, Query, Req, Res } from '@nestjs/common';
import {
  ApiAcceptedResponse,
  ApiBody,
  ApiConsumes,
  ApiNoContentResponse,
  ApiOkResponse,
  ApiOperation,
  ApiTags,
} from '@nestjs/swagger';
import type { Request, Response } from 'express';
import { ApiPage } from '../http/index.js';
import { FILE_TYPES } from '../imports/index.js';
import { Access, CurrentPrincipal, type Principal } from '../tenancy/index.js';
import { ErasureView, GivePeople, PeopleFileQuery } from './erasures.dto.js';
import { ErasuresService } from './erasures.service.js';
import { beginWithBody } from './file-body.js';
import { SuppressionIdParam } from './suppression-id.js';
import { SuppressionsFoundView, SuppressionsQuery, SuppressionView } from './suppressions.dto.js';
import { SuppressionsService } from './suppressions.service.js';

@ApiTags('Erasures')
@Controller('suppressions')
export class SuppressionsController {
  constructor(
    private readonly erasures: ErasuresService,
    private readonly suppressions: SuppressionsService,
  ) {}

  @Post()
  @Access('editor')
  @HttpCode(202)
  @ApiOperation({
    summary: 'Suppresses people: they leave every audience and partner, and no import brings them back',
    description: 'The answer is the work that this begins; GET /erasures/{id} follows it.',
  })
  @ApiAcceptedResponse({ type: ErasureView })
  create(@CurrentPrincipal() principal: Principal, @Body() body: GivePeople): Promise<ErasureView> {
    return this.erasures.begin(principal, 'suppress', body);
  }

  @Post('file')
  @Access('editor')
  @HttpCode(202)
  @ApiOperation({ summary: 'Suppresses everybody in the file that is the body' })
  @ApiConsumes(...FILE_TYPES)
  @ApiBody({ schema: { type: 'string', format: 'binary' } })
  @ApiAcceptedResponse({ type: ErasureView })
  createFromFile(
    @CurrentPrincipal() principal: Principal,
    @Query() query: PeopleFileQuery,
    @Req() request: Request,
    @Res({ passthrough: true }) response: Response,
  ): Promise<ErasureView> {
    return beginWithBody(this.erasures, principal, 'suppress', query, { request, response });
  }

  @Post('find')
  @Access('editor')
  @HttpCode(200)
  @ApiOperation({ summary: 'The entries of identities, for whoever knows their values; changes nothing' })
  @ApiOkResponse({ type: SuppressionsFoundView })
  async find(
    @CurrentPrincipal() principal: Principal,
    @Body() body: GivePeople,
  ): Promise<SuppressionsFoundView> {
    return { items: await this.suppressions.find(principal, body) };
  }

  @Get()
  @Access('viewer')
  @ApiOperation({ summary: 'Suppressed identities by id and type; their values are not kept' })
  @ApiPage(SuppressionView)
  list(@CurrentPrincipal() principal: Principal, @Query() query: SuppressionsQuery) {
    return this.suppressions.list(principal, query);
  }

  @Delete(':id')
  @Access('admin')
  @HttpCode(204)
  @ApiOperation({ summary: 'Lifts one: imports may bring its person in again' })
  @ApiNoContentResponse()
  lift(@CurrentPrincipal() principal: Principal, @SuppressionIdParam() id: string): Promise<void> {
    return this.suppressions.lift(principal, id);
  }
}
