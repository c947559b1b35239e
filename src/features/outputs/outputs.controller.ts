import { Body, Controller, Delete, Get, HttpCode, Patch, Post, Query } from '@nestjs/common';
import { ApiCreatedResponse, ApiNoContentResponse, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { CheckView, ConnectorSettings } from '../connectors/index.js';
import { ApiPage, IdParam, mapPage } from '../http/index.js';
import { Access, CurrentPrincipal, type Principal } from '../tenancy/index.js';
import {
  CreateOutput,
  DeleteOutputQuery,
  OutputsQuery,
  OutputView,
  showOutput,
  UpdateOutput,
  type Output,
  type OutputCounts,
} from './outputs.dto.js';
import { OutputsService } from './outputs.service.js';

@ApiTags('Outputs')
@Controller('outputs')
export class OutputsController {
  constructor(
    private readonly outputs: OutputsService,
    private readonly connectors: ConnectorSettings,
  ) {}

  @Post()
  @Access('editor')
  @ApiCreatedResponse({ type: OutputView })
  async create(@CurrentPrincipal() principal: Principal, @Body() body: CreateOutput) {
    return this.show(await this.outputs.create(principal, body));
  }

  @Get()
  @Access('viewer')
  @ApiPage(OutputView)
  async list(@CurrentPrincipal() principal: Principal, @Query() query: OutputsQuery) {
    return mapPage(await this.outputs.list(principal, query), (row) => this.show(row));
  }

  @Get(':id')
  @Access('viewer')
  @ApiOkResponse({ type: OutputView })
  async get(@CurrentPrincipal() principal: Principal, @IdParam('output') id: string) {
    return this.show(await this.outputs.get(principal, id));
  }

  @Patch(':id')
  @Access('editor')
  @ApiOkResponse({ type: OutputView })
  async update(
    @CurrentPrincipal() principal: Principal,
    @IdParam('output') id: string,
    @Body() body: UpdateOutput,
  ) {
    return this.show(await this.outputs.update(principal, id, body));
  }

  @Delete(':id')
  @Access('editor')
  @HttpCode(204)
  @ApiNoContentResponse()
  async delete(
    @CurrentPrincipal() principal: Principal,
    @IdParam('output') id: string,
    @Query() { force }: DeleteOutputQuery,
  ) {
    await this.outputs.delete(principal, id, force === 'true');
  }

  /** Tries the configuration out. 200 also where it does not work; the body says so. */
  @Post(':id/check')
  @Access('editor')
  @HttpCode(200)
  @ApiOkResponse({ type: CheckView })
  check(@CurrentPrincipal() principal: Principal, @IdParam('output') id: string) {
    return this.outputs.check(principal, id);
  }

  private show(row: Output & OutputCounts): OutputView {
    return showOutput(row, this.connectors.credentialFields(row));
  }
}
