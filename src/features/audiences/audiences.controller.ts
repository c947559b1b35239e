import { Body, Controller, Delete, Get, Patch, Post, Query, Res } from '@nestjs/common';
import {
  ApiCreatedResponse,
  ApiNoContentResponse,
  ApiOkResponse,
  ApiOperation,
  ApiTags,
} from '@nestjs/swagger';
import type { Response } from 'express';
import { ApiPage, AudienceIdParam } from '../http/index.js';
import { Access, CurrentPrincipal, type Principal } from '../tenancy/index.js';
import { AudiencesQuery, AudienceView, DuplicateAudience, UpdateAudience } from './audiences.dto.js';
import { AudiencesService } from './audiences.service.js';
import { AudienceCopies } from './copies/audience-copies.js';
import { AudienceDeletion } from './deletion/audience-deletion.js';
import { DeletionQuery, DeletionView } from './deletion/deletion.dto.js';

@ApiTags('Audiences')
@Controller('audiences')
export class AudiencesController {
  constructor(
    private readonly audiences: AudiencesService,
    private readonly copies: AudienceCopies,
    private readonly deletion: AudienceDeletion,
  ) {}

  @Get()
  @Access('viewer')
  @ApiPage(AudienceView)
  list(@CurrentPrincipal() principal: Principal, @Query() query: AudiencesQuery) {
    return this.audiences.list(principal, query);
  }

  @Get(':id')
  @Access('viewer')
  @ApiOkResponse({ type: AudienceView })
  get(@CurrentPrincipal() principal: Principal, @AudienceIdParam() id: number): Promise<AudienceView> {
    return this.audiences.get(principal, id);
  }

  @Patch(':id')
  @Access('editor')
  @ApiOperation({ summary: 'Renames, or replaces the tags' })
  @ApiOkResponse({ type: AudienceView })
  update(
    @CurrentPrincipal() principal: Principal,
    @AudienceIdParam() id: number,
    @Body() body: UpdateAudience,
  ): Promise<AudienceView> {
    return this.audiences.update(principal, id, body);
  }

  @Delete(':id')
  @Access('editor')
  @ApiOperation({
    summary: 'Deletes the audience; 409 lists what goes with it unless confirm=true',
    description: 'With dryRun=true nothing is deleted, and the answer says what would go with it.',
  })
  @ApiNoContentResponse({ description: 'Deleted' })
  @ApiOkResponse({ type: DeletionView, description: 'Answer to dryRun=true' })
  async delete(
    @CurrentPrincipal() principal: Principal,
    @AudienceIdParam() id: number,
    @Query() query: DeletionQuery,
    @Res({ passthrough: true }) response: Response,
  ): Promise<DeletionView | undefined> {
    if (query.dryRun) return this.deletion.preview(principal, id);
    await this.deletion.delete(principal, id, query.confirm ?? false);
    response.status(204);
    return undefined;
  }

  @Post(':id/duplicate')
  @Access('editor')
  @ApiOperation({ summary: 'Makes a copy with the members and tags of the published version' })
  @ApiCreatedResponse({ type: AudienceView })
  async duplicate(
    @CurrentPrincipal() principal: Principal,
    @AudienceIdParam() id: number,
    @Body() body: DuplicateAudience,
  ): Promise<AudienceView> {
    const copyId = await this.copies.duplicate(principal, id, body.name);
    return this.audiences.get(principal, copyId);
  }
}
