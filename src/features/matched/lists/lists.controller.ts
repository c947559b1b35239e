import { Controller, Get, HttpCode, Post, UseGuards } from '@nestjs/common';
import { ApiHeader, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import {
  AUDIENCE_STATUSES,
  COLUMN_COMBINATIONS,
  COLUMN_LIST,
  DATA_FORMATS,
  DATA_PARTNERS,
} from '../../../domain/matched/index.js';
import { Access } from '../../tenancy/index.js';
import { CallerGuard } from '../caller.guard.js';
import { objectEnvelope, successEnvelope } from '../envelope/envelope.js';

/** What an upload may name: IQM's lists that do not change. */
@ApiTags("IQM's API")
@ApiHeader({ name: 'X-IAA-OW-ID', required: true })
@Controller('api/v3/audience/static')
@Access('viewer')
@UseGuards(CallerGuard)
export class ListsController {
  @Post('matched/column-list')
  @HttpCode(200)
  @ApiOkResponse()
  columnList() {
    return objectEnvelope(COLUMN_LIST);
  }

  @Get('column-combinations')
  @ApiOkResponse()
  columnCombinations() {
    return successEnvelope(COLUMN_COMBINATIONS);
  }

  @Get('data-formats')
  @ApiOkResponse()
  dataFormats() {
    return successEnvelope(DATA_FORMATS);
  }

  @Get('data-partners')
  @ApiOkResponse()
  dataPartners() {
    return successEnvelope(DATA_PARTNERS);
  }

  @Get('audience-status')
  @ApiOkResponse()
  audienceStatus() {
    return successEnvelope(AUDIENCE_STATUSES);
  }
}
