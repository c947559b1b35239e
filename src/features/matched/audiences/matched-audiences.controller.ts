import { Body, Controller, Get, HttpCode, Post, Put, Query, Req, Res, UseGuards } from '@nestjs/common';
import {
  ApiBody,
  ApiConsumes,
  ApiHeader,
  ApiOkResponse,
  ApiPropertyOptional,
  ApiTags,
} from '@nestjs/swagger';
import { IsIn, IsOptional } from 'class-validator';
import type { Request, Response } from 'express';
import { HubError } from '../../../domain/errors/index.js';
import { AudienceIdParam, refuseRest } from '../../http/index.js';
import { showDryRun, signalOf } from '../../imports/index.js';
import { Access } from '../../tenancy/index.js';
import { CallerGuard, CurrentCaller, type Caller } from '../caller.guard.js';
import { objectEnvelope, successEnvelope } from '../envelope/envelope.js';
import { MatchedUploads } from '../upload/matched-uploads.service.js';
import { showMatchedAudience } from './audience-view.js';
import { readListRequest } from './list-request.js';
import { MatchedAudiences } from './matched-audiences.service.js';

class AddQuery {
  @ApiPropertyOptional({ enum: ['true', 'false'], description: 'Only say what the import would come to' })
  @IsOptional()
  @IsIn(['true', 'false'])
  dryRun?: 'true' | 'false';
}

/** IQM's matched audiences: upload, look, list, match anew. */
@ApiTags("IQM's API")
@ApiHeader({ name: 'X-IAA-OW-ID', required: true })
@Controller('api')
@UseGuards(CallerGuard)
export class MatchedAudiencesController {
  constructor(
    private readonly audiences: MatchedAudiences,
    private readonly uploads: MatchedUploads,
  ) {}

  /** With ?dryRun=true: what the import would come to; nothing is made. */
  @Post('v2/audience/matched/add')
  @Access('editor')
  @HttpCode(200)
  @ApiConsumes('multipart/form-data')
  @ApiBody({ schema: uploadForm() })
  @ApiOkResponse()
  async add(
    @CurrentCaller() caller: Caller,
    @Query() query: AddQuery,
    @Req() request: Request,
    @Res({ passthrough: true }) response: Response,
  ) {
    // An upload that is refused is answered before it is read to its end.
    refuseRest(request, response);
    if (query.dryRun === 'true') {
      return objectEnvelope(showDryRun(await this.uploads.look(caller, request, signalOf(response))));
    }
    const id = await this.uploads.add(caller, request);
    return objectEnvelope({ id, message: 'Audience created successfully' });
  }

  @Get('v2/audience/matched/:id')
  @Access('viewer')
  @ApiOkResponse()
  async get(@CurrentCaller() caller: Caller, @AudienceIdParam() id: number) {
    return objectEnvelope(showMatchedAudience(caller, await this.audiences.get(caller, id)));
  }

  /** pageNo, noOfEntries (at most 1,000), searchField, audienceStatusIds, audienceIds, sortBy. */
  @Post('v3/audience/matched')
  @Access('viewer')
  @HttpCode(200)
  @ApiBody({ schema: { type: 'object' } })
  @ApiOkResponse()
  async list(@CurrentCaller() caller: Caller, @Body() body: unknown) {
    const asked = readListRequest(body);
    if ('refused' in asked) throw new HubError('BAD_REQUEST', asked.refused);
    const { items, totalRecords, filteredRecords } = await this.audiences.list(caller, asked);
    const data = items.map((one) => showMatchedAudience(caller, one));
    return successEnvelope({ data, totalRecords, filteredRecords });
  }

  @Put(['v3/audience/matched/:id/rematch', 'v2/audience/matched/:id/rematch'])
  @Access('editor')
  @ApiOkResponse()
  async rematch(@CurrentCaller() caller: Caller, @AudienceIdParam() id: number, @Req() request: Request) {
    await this.audiences.rematch(caller, id);
    return done(request, id, 'Audience rematch started successfully');
  }

  /** For failed audiences only. */
  @Put(['v3/audience/matched/:id/regenerate', 'v2/audience/matched/:id/regenerate'])
  @Access('editor')
  @ApiOkResponse()
  async regenerate(@CurrentCaller() caller: Caller, @AudienceIdParam() id: number, @Req() request: Request) {
    await this.audiences.regenerate(caller, id);
    return done(request, id, 'Audience regeneration started successfully');
  }
}

function done({ path }: Request, id: number, message: string) {
  const content = { id, message };
  return path.startsWith('/api/v2/') ? objectEnvelope(content) : successEnvelope(content);
}

function uploadForm() {
  const text = { type: 'string' } as const;
  return {
    type: 'object',
    required: ['file', 'columns', 'metadata', 'audienceName', 'fileTotalCount'],
    properties: {
      file: { type: 'string', format: 'binary' },
      columns: text,
      columnSettings: text,
      metadata: text,
      audienceName: text,
      fileTotalCount: { type: 'integer' },
      isSingleColumnEnabled: { type: 'boolean', default: false },
    },
  };
}
