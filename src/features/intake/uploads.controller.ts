import { Controller, Get, Query } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { ApiPage, IdParam, mapPage } from '../http/index.js';
import { Access, CurrentPrincipal, type Principal } from '../tenancy/index.js';
import { showUpload, UploadsQuery, UploadView } from './uploads.dto.js';
import { UploadsService } from './uploads.service.js';

@ApiTags('Uploads')
@Controller('uploads')
@Access('viewer')
export class UploadsController {
  constructor(private readonly uploads: UploadsService) {}

  @Get()
  @ApiOperation({ summary: 'Files that are sent to the hub, newest first; refused ones with the reason' })
  @ApiPage(UploadView)
  async list(@CurrentPrincipal() principal: Principal, @Query() query: UploadsQuery) {
    return mapPage(await this.uploads.list(principal, query), showUpload);
  }

  @Get(':id')
  @ApiOperation({ summary: 'How far a file is' })
  @ApiOkResponse({ type: UploadView })
  async get(@CurrentPrincipal() principal: Principal, @IdParam('upload') id: string) {
    return showUpload(await this.uploads.get(principal, id));
  }
}
