import { Body, Controller, Delete, Get, HttpCode, Patch, Post, Query } from '@nestjs/common';
import { ApiCreatedResponse, ApiNoContentResponse, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { CheckView, ConnectorSettings } from '../connectors/index.js';
import { ApiPage, IdParam, mapPage } from '../http/index.js';
import { Access, CurrentPrincipal, type Principal } from '../tenancy/index.js';
import { CreateInput, InputsQuery, InputView, showInput, UpdateInput, type Input } from './inputs.dto.js';
import { InputsService } from './inputs.service.js';

@ApiTags('Inputs')
@Controller('inputs')
export class InputsController {
  constructor(
    private readonly inputs: InputsService,
    private readonly connectors: ConnectorSettings,
  ) {}

  @Post()
  @Access('editor')
  @ApiCreatedResponse({ type: InputView })
  async create(@CurrentPrincipal() principal: Principal, @Body() body: CreateInput) {
    return this.show(await this.inputs.create(principal, body));
  }

  @Get()
  @Access('viewer')
  @ApiPage(InputView)
  async list(@CurrentPrincipal() principal: Principal, @Query() query: InputsQuery) {
    return mapPage(await this.inputs.list(principal, query), (row) => this.show(row));
  }

  @Get(':id')
  @Access('viewer')
  @ApiOkResponse({ type: InputView })
  async get(@CurrentPrincipal() principal: Principal, @IdParam('input') id: string) {
    return this.show(await this.inputs.get(principal, id));
  }

  @Patch(':id')
  @Access('editor')
  @ApiOkResponse({ type: InputView })
  async update(
    @CurrentPrincipal() principal: Principal,
    @IdParam('input') id: string,
    @Body() body: UpdateInput,
  ) {
    return this.show(await this.inputs.update(principal, id, body));
  }

  @Delete(':id')
  @Access('editor')
  @HttpCode(204)
  @ApiNoContentResponse()
  async delete(@CurrentPrincipal() principal: Principal, @IdParam('input') id: string) {
    await this.inputs.delete(principal, id);
  }

  /** Tries the configuration out. 200 also where it does not work; the body says so. */
  @Post(':id/check')
  @Access('editor')
  @HttpCode(200)
  @ApiOkResponse({ type: CheckView })
  check(@CurrentPrincipal() principal: Principal, @IdParam('input') id: string) {
    return this.inputs.check(principal, id);
  }

  private show(row: Input): InputView {
    return showInput(row, this.connectors.credentialFields(row));
  }
}
