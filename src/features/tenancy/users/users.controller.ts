import { Body, Controller, Delete, Get, HttpCode, Patch, Post, Put, Query } from '@nestjs/common';
import { ApiCreatedResponse, ApiNoContentResponse, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { ApiPage, IdParam, mapPage } from '../../http/index.js';
import { Access } from '../access/access.decorator.js';
import { CurrentPrincipal, type Principal } from '../access/principal.js';
import { CreateUser, SetPassword, showUser, UpdateUser, UsersQuery, UserView } from './users.dto.js';
import { UsersService } from './users.service.js';

@ApiTags('Tenancy')
@Controller('users')
export class UsersController {
  constructor(private readonly users: UsersService) {}

  @Post()
  @Access('admin')
  @ApiCreatedResponse({ type: UserView })
  async create(@CurrentPrincipal() principal: Principal, @Body() body: CreateUser) {
    return showUser(await this.users.create(principal, body));
  }

  @Get()
  @Access('viewer')
  @ApiPage(UserView)
  async list(@CurrentPrincipal() principal: Principal, @Query() query: UsersQuery) {
    return mapPage(await this.users.list(principal, query), showUser);
  }

  @Get(':id')
  @Access('viewer')
  @ApiOkResponse({ type: UserView })
  async get(@CurrentPrincipal() principal: Principal, @IdParam('user') id: string) {
    return showUser(await this.users.get(principal, id));
  }

  @Patch(':id')
  @Access('admin')
  @ApiOkResponse({ type: UserView })
  async update(
    @CurrentPrincipal() principal: Principal,
    @IdParam('user') id: string,
    @Body() body: UpdateUser,
  ) {
    return showUser(await this.users.update(principal, id, body));
  }

  /** From now on the user logs in with this password; whoever was logged in is logged out. */
  @Put(':id/password')
  @Access('admin')
  @HttpCode(204)
  @ApiNoContentResponse()
  async setPassword(
    @CurrentPrincipal() principal: Principal,
    @IdParam('user') id: string,
    @Body() body: SetPassword,
  ) {
    await this.users.setPassword(principal, id, body.password);
  }

  /** From now on the user cannot log in; whoever was logged in is logged out. */
  @Delete(':id/password')
  @Access('admin')
  @HttpCode(204)
  @ApiNoContentResponse()
  async removePassword(@CurrentPrincipal() principal: Principal, @IdParam('user') id: string) {
    await this.users.setPassword(principal, id, undefined);
  }

  @Delete(':id')
  @Access('admin')
  @HttpCode(204)
  @ApiNoContentResponse()
  async delete(@CurrentPrincipal() principal: Principal, @IdParam('user') id: string) {
    await this.users.delete(principal, id);
  }
}
