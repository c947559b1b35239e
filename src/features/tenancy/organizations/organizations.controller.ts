import { Body, Controller, Delete, Get, HttpCode, Patch, Post, Put, Query } from '@nestjs/common';
import { ApiCreatedResponse, ApiNoContentResponse, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { ApiPage, IdParam, mapPage, PageQuery } from '../../http/index.js';
import { Access } from '../access/access.decorator.js';
import { CurrentPrincipal, type Principal } from '../access/principal.js';
import {
  CreateOrganization,
  OrganizationView,
  PutOnHold,
  showOrganization,
  UpdateOrganization,
} from './organizations.dto.js';
import { OrganizationsService } from './organizations.service.js';

@ApiTags('Tenancy')
@Controller('organizations')
export class OrganizationsController {
  constructor(private readonly organizations: OrganizationsService) {}

  @Post()
  @Access('admin')
  @ApiCreatedResponse({ type: OrganizationView })
  async create(@CurrentPrincipal() principal: Principal, @Body() body: CreateOrganization) {
    return showOrganization(await this.organizations.create(principal, body));
  }

  @Get()
  @Access('viewer')
  @ApiPage(OrganizationView)
  async list(@CurrentPrincipal() principal: Principal, @Query() query: PageQuery) {
    return mapPage(await this.organizations.list(principal, query), showOrganization);
  }

  @Get(':id')
  @Access('viewer')
  @ApiOkResponse({ type: OrganizationView })
  async get(@CurrentPrincipal() principal: Principal, @IdParam('organization') id: string) {
    return showOrganization(await this.organizations.get(principal, id));
  }

  @Patch(':id')
  @Access('admin')
  @ApiOkResponse({ type: OrganizationView })
  async update(
    @CurrentPrincipal() principal: Principal,
    @IdParam('organization') id: string,
    @Body() body: UpdateOrganization,
  ) {
    return showOrganization(await this.organizations.update(principal, id, body));
  }

  /** Nobody of the organization logs in any more, and access tokens are refused, until the hold is lifted. */
  @Put(':id/hold')
  @Access('admin')
  @ApiOkResponse({ type: OrganizationView })
  async hold(
    @CurrentPrincipal() principal: Principal,
    @IdParam('organization') id: string,
    @Body() body: PutOnHold,
  ) {
    return showOrganization(await this.organizations.setHold(principal, id, body));
  }

  @Delete(':id/hold')
  @Access('admin')
  @ApiOkResponse({ type: OrganizationView })
  async lift(@CurrentPrincipal() principal: Principal, @IdParam('organization') id: string) {
    return showOrganization(await this.organizations.setHold(principal, id, undefined));
  }

  @Delete(':id')
  @Access('admin')
  @HttpCode(204)
  @ApiNoContentResponse()
  async delete(@CurrentPrincipal() principal: Principal, @IdParam('organization') id: string) {
    await this.organizations.delete(principal, id);
  }
}
