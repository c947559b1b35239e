import { Controller, Delete, Head, HttpCode, Options, Patch, Post, Req, Res } from '@nestjs/common';
import {
  ApiConsumes,
  ApiCreatedResponse,
  ApiHeader,
  ApiNoContentResponse,
  ApiOkResponse,
  ApiOperation,
  ApiTags,
} from '@nestjs/swagger';
import type { Request, Response } from 'express';
import { currentRequest } from '../../../platform/audit/index.js';
import { IdParam } from '../../http/index.js';
import { Access, CurrentPrincipal, type Principal } from '../../tenancy/index.js';
import { showUpload, UploadView } from '../uploads.dto.js';
import { UploadsService } from '../uploads.service.js';
import { TusEndpoint } from './tus-endpoint.js';

const VERSION = { name: 'Tus-Resumable', required: true, schema: { enum: ['1.0.0'] } };
const BYTES = 'application/offset+octet-stream';

/** Resumable uploads by the tus protocol, version 1.0 (https://tus.io/protocols/resumable-upload). */
@ApiTags('Uploads')
@Controller('uploads/tus')
@Access('editor')
export class TusController {
  constructor(
    private readonly tus: TusEndpoint,
    private readonly uploads: UploadsService,
  ) {}

  @Options()
  @Access('viewer')
  @HttpCode(204)
  @ApiOperation({ summary: 'Which version and extensions of tus there are' })
  @ApiNoContentResponse()
  async options(
    @CurrentPrincipal() principal: Principal,
    @Req() request: Request,
    @Res({ passthrough: true }) response: Response,
  ): Promise<void> {
    await this.tus.handle(principal, request, response);
  }

  @Post()
  @ApiOperation({
    summary: 'Begins an upload; Location says where its bytes go',
    description:
      'Upload-Metadata: filename, audienceName, key, workspaceId, columns, columnSettings, recordCount, sha256, dryRun; docs/uploads.md says more.',
  })
  @ApiHeader(VERSION)
  @ApiHeader({ name: 'Upload-Length', description: 'Bytes of the whole file; or Upload-Defer-Length: 1' })
  @ApiHeader({ name: 'Upload-Metadata' })
  @ApiConsumes(BYTES)
  @ApiCreatedResponse({ type: UploadView })
  async begin(
    @CurrentPrincipal() principal: Principal,
    @Req() request: Request,
    @Res({ passthrough: true }) response: Response,
  ): Promise<UploadView | undefined> {
    const id = await this.tus.handle(principal, request, response);
    if (id === undefined) return undefined;
    const row = await this.uploads.get(principal, id);
    sayExpiry(response, row);
    return showUpload(row);
  }

  @Head(':id')
  @ApiOperation({ summary: 'How many bytes are there: where to go on' })
  @ApiHeader(VERSION)
  @ApiOkResponse({ description: 'Upload-Offset, Upload-Length, Upload-Metadata, Upload-Expires' })
  async head(
    @CurrentPrincipal() principal: Principal,
    @IdParam('upload') id: string,
    @Req() request: Request,
    @Res({ passthrough: true }) response: Response,
  ): Promise<void> {
    await this.handled(principal, id, request, response);
  }

  @Patch(':id')
  @HttpCode(204)
  @ApiOperation({ summary: 'Goes on with the bytes of an upload; the last of them makes the import' })
  @ApiHeader(VERSION)
  @ApiHeader({ name: 'Upload-Offset', required: true })
  @ApiConsumes(BYTES)
  @ApiNoContentResponse({ description: 'Upload-Offset, Upload-Expires' })
  async append(
    @CurrentPrincipal() principal: Principal,
    @IdParam('upload') id: string,
    @Req() request: Request,
    @Res({ passthrough: true }) response: Response,
  ): Promise<void> {
    await this.handled(principal, id, request, response);
    // A file may come in thousands of requests: its beginning is noted, and its import.
    const noting = currentRequest();
    if (noting) noting.noted = true;
  }

  @Delete(':id')
  @HttpCode(204)
  @ApiOperation({ summary: 'Gives an upload up; its bytes are deleted' })
  @ApiHeader(VERSION)
  @ApiNoContentResponse()
  async terminate(
    @CurrentPrincipal() principal: Principal,
    @IdParam('upload') id: string,
    @Req() request: Request,
    @Res({ passthrough: true }) response: Response,
  ): Promise<void> {
    await this.uploads.get(principal, id);
    await this.tus.handle(principal, request, response);
  }

  private async handled(
    principal: Principal,
    id: string,
    request: Request,
    response: Response,
  ): Promise<void> {
    // Another workspace's upload is not there.
    await this.uploads.get(principal, id);
    await this.tus.handle(principal, request, response);
    sayExpiry(response, await this.uploads.get(principal, id));
  }
}

function sayExpiry(response: Response, { state, expiresAt }: { state: string; expiresAt: Date }): void {
  if (state === 'receiving') response.setHeader('upload-expires', expiresAt.toUTCString());
}
