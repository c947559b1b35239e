import { Controller, Get, Param, Query } from '@nestjs/common';
import { ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { notFound } from '../../domain/errors/index.js';
import { PluginRegistry, UnknownPluginError } from '../../host/registry/index.js';
import type { PublicShape } from '../../kit/index.js';
import { ApiPage, PageQuery, type Page } from '../http/index.js';
import { Access } from '../tenancy/index.js';
import { PluginView } from './plugin.view.js';

/** What the hub can be connected to. */
@ApiTags('Plugins')
@Controller('plugins')
@Access('viewer')
export class CatalogueController {
  constructor(private readonly registry: PluginRegistry) {}

  @Get()
  @ApiPage(PluginView)
  list(@Query() { page, pageSize }: PageQuery): Page<PublicShape> {
    const all = this.registry.all();
    const items = all
      .slice((page - 1) * pageSize, page * pageSize)
      .map(({ id }) => this.registry.describe(id));
    return { items, total: all.length, page, pageSize };
  }

  @Get(':id')
  @ApiOkResponse({ type: PluginView })
  get(@Param('id') id: string): PublicShape {
    try {
      return this.registry.describe(id);
    } catch (error) {
      // In a path it is a thing that is not there; in a body it is a wrong value.
      if (error instanceof UnknownPluginError) throw notFound('plugin', 'with this id');
      throw error;
    }
  }
}
