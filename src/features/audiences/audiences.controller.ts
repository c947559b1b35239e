import { Body, Controller, Delete, Get, HttpCode, Patch, Post, Query } from '@nestjs/common';
import { ApiCreatedResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { ApiPage, AudienceIdParam } from '../http/index.js';
import { Access, CurrentPrincipal, type Principal } from '../tenancy/index.js';
import {
  AudiencesQuery,
  AudienceView,
  DuplicateAudience,
  UpdateAudience,
  UpdatedAudienceView,
} from './audiences.dto.js';
import { AudiencesService } from './audiences.service.js';
import { AudienceCopies } from './copies/audience-copies.js';
import { AudienceDeletion } from './deletion/audience-deletion.js';
import { AudienceRemovals } from './deletion/audience-removals.js';
import { BulkDelete, BulkDeleted } from './deletion/bulk-deletion.dto.js';
import { BulkDeletion } from './deletion/bulk-deletion.js';
import { AudienceRemovalView, DeletionQuery, DeletionView } from './deletion/deletion.dto.js';

@ApiTags('Audiences')
@Controller('audiences')
export class AudiencesController {
  constructor(
    private readonly audiences: AudiencesService,
    private readonly copies: AudienceCopies,
    private readonly deletion: AudienceDeletion,
    private readonly bulk: BulkDeletion,
    private readonly removals: AudienceRemovals,
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
  @ApiOperation({
    summary: 'Renames, or replaces the tags; of a new name, says what becomes of it at partners',
  })
  @ApiOkResponse({ type: UpdatedAudienceView })
  update(
    @CurrentPrincipal() principal: Principal,
    @AudienceIdParam() id: number,
    @Body() body: UpdateAudience,
  ): Promise<UpdatedAudienceView> {
    return this.audiences.update(principal, id, body);
  }

  @Delete(':id')
  @Access('editor')
  @ApiOperation({
    summary: 'Deletes the audience; 409 lists what goes with it unless confirm=true',
    description:
      'The answer says what went with it, and what becomes of what was sent to partners. With dryRun=true nothing is ' +
      'deleted, and the answer says what would go with it.',
  })
  @ApiOkResponse({ type: DeletionView })
  delete(
    @CurrentPrincipal() principal: Principal,
    @AudienceIdParam() id: number,
    @Query() query: DeletionQuery,
  ): Promise<DeletionView> {
    if (query.dryRun) return this.deletion.preview(principal, id);
    return this.deletion.delete(principal, id, query.confirm ?? false);
  }

  @Get(':id/removal')
  @Access('viewer')
  @ApiOperation({
    summary: 'What becomes, or became, of a deleted audience at the partners, by connection',
    description: 'Also after its rows are gone. 409 where the audience is not deleted.',
  })
  @ApiOkResponse({ type: AudienceRemovalView })
  removal(
    @CurrentPrincipal() principal: Principal,
    @AudienceIdParam() id: number,
  ): Promise<AudienceRemovalView> {
    return this.removals.get(principal, id);
  }

  @Post('bulk-delete')
  @Access('editor')
  @HttpCode(200)
  @ApiOperation({
    summary: 'Deletes several audiences; says which were deleted, and why the others were not',
    description: 'An audience with which other things go is deleted only with confirm: true.',
  })
  @ApiOkResponse({ type: BulkDeleted })
  bulkDelete(@CurrentPrincipal() principal: Principal, @Body() body: BulkDelete): Promise<BulkDeleted> {
    return this.bulk.delete(principal, body);
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
