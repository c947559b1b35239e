import { Body, Controller, Delete, Get, HttpCode, Patch, Post, Query } from '@nestjs/common';
import { ApiCreatedResponse, ApiNoContentResponse, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { ApiPage, IdParam, mapPage } from '../../http/index.js';
import { Access } from '../access/access.decorator.js';
import { CurrentPrincipal, type Principal } from '../access/principal.js';
import {
  CreateWorkspace,
  showWorkspace,
  UpdateWorkspace,
  WorkspacesQuery,
  WorkspaceView,
} from './workspaces.dto.js';
import { WorkspacesService } from './workspaces.service.js';

@ApiTags('Tenancy')
@Controller('workspaces')
export class WorkspacesController {
  constructor(private readonly workspaces: WorkspacesService) {}

  @Post()
  @Access('admin')
  @ApiCreatedResponse({ type: WorkspaceView })
  async create(@CurrentPrincipal() principal: Principal, @Body() body: CreateWorkspace) {
    return showWorkspace(await this.workspaces.create(principal, body));
  }

  @Get()
  @Access('viewer')
  @ApiPage(WorkspaceView)
  async list(@CurrentPrincipal() principal: Principal, @Query() query: WorkspacesQuery) {
    return mapPage(await this.workspaces.list(principal, query), showWorkspace);
  }

  @Get(':id')
  @Access('viewer')
  @ApiOkResponse({ type: WorkspaceView })
  async get(@CurrentPrincipal() principal: Principal, @IdParam('workspace') id: string) {
    return showWorkspace(await this.workspaces.get(principal, id));
  }

  @Patch(':id')
  @Access('admin')
  @ApiOkResponse({ type: WorkspaceView })
  async update(
    @CurrentPrincipal() principal: Principal,
    @IdParam('workspace') id: string,
    @Body() body: UpdateWorkspace,
  ) {
    return showWorkspace(await this.workspaces.update(principal, id, body));
  }

  @Delete(':id')
  @Access('admin')
  @HttpCode(204)
  @ApiNoContentResponse()
  async delete(@CurrentPrincipal() principal: Principal, @IdParam('workspace') id: string) {
    await this.workspaces.delete(principal, id);
  }
}
