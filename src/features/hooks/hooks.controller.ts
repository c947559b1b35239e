import { Controller, HttpCode, Post, Req, Res } from '@nestjs/common';
import {
  ApiAcceptedResponse,
  ApiConsumes,
  ApiOkResponse,
  ApiOperation,
  ApiProperty,
  ApiPropertyOptional,
  ApiQuery,
  ApiTags,
} from '@nestjs/swagger';
import type { Request, Response } from 'express';
import { IMPORT_STATES, type ImportState } from '../../platform/database/index.js';
import { refuseRest } from '../http/index.js';
import { PreflightView, showDryRun } from '../imports/index.js';
import { Public } from '../tenancy/index.js';
import { HooksService, type Pushed } from './hooks.service.js';

class PushedView implements Pushed {
  @ApiProperty({ format: 'uuid' })
  uploadId!: string;
  @ApiProperty({ format: 'uuid' })
  importId!: string;
  @ApiProperty({ enum: IMPORT_STATES })
  state!: ImportState;
  @ApiProperty({ description: 'True where an import that was there already does the work' })
  repeated!: boolean;
  @ApiPropertyOptional()
  audienceName?: string;
}

class PreflightedView {
  @ApiProperty()
  audienceName!: string;
  @ApiProperty({ type: PreflightView })
  preflight!: PreflightView;
}

/** Requests of other systems. Each is checked by the plugin of the input that it is for. */
@ApiTags('Webhooks')
@Controller('hooks')
export class HooksController {
  constructor(private readonly hooks: HooksService) {}

  @Post('l2/universes')
  @Public()
  @HttpCode(202)
  @ApiOperation({
    summary:
      'Takes a universe of L2: a form with name and file, JSON with name and rows or url, or a file and ?name=',
  })
  @ApiConsumes('multipart/form-data', 'application/json', 'text/csv')
  @ApiQuery({
    name: 'dryRun',
    required: false,
    enum: ['true', 'false'],
    description: 'Only say what the import would come to: 200, and nothing is made',
  })
  @ApiAcceptedResponse({ type: PushedView })
  @ApiOkResponse({ type: PreflightedView, description: 'Of a dry run' })
  async universes(
    @Req() request: Request,
    @Res({ passthrough: true }) response: Response,
  ): Promise<Pushed | PreflightedView> {
    refuseRest(request, response);
    const left = new AbortController();
    response.once('close', () => left.abort());
    const answer = await this.hooks.receive('l2/universes', request, left.signal);
    if (!('preflight' in answer)) return answer;
    response.status(200);
    return { audienceName: answer.audienceName, preflight: showDryRun(answer.preflight) };
  }
}
