import { applyDecorators, type Type } from '@nestjs/common';
import { ApiExtraModels, ApiOkResponse, ApiPropertyOptional, getSchemaPath } from '@nestjs/swagger';
import { Type as Cast } from 'class-transformer';
import { IsInt, IsOptional, IsUUID, Max, Min } from 'class-validator';

/** One page of a list. `total` counts the whole list under the same filters. */
export interface Page<Item> {
  items: Item[];
  total: number;
  page: number;
  pageSize: number;
}

/** Query parameters of every list. Extend it with the list's own filters. */
export class PageQuery {
  @ApiPropertyOptional({ minimum: 1, default: 1, description: 'Counts from 1' })
  @Cast(() => Number)
  @IsInt()
  @Min(1)
  @Max(1_000_000)
  page = 1;

  @ApiPropertyOptional({ minimum: 1, maximum: 1000, default: 50 })
  @Cast(() => Number)
  @IsInt()
  @Min(1)
  @Max(1000)
  pageSize = 50;
}

/** The same of one workspace; without one, of all that the caller may see. */
export class WorkspacePageQuery extends PageQuery {
  @ApiPropertyOptional({ format: 'uuid' })
  @IsOptional()
  @IsUUID()
  workspaceId?: string;
}

/** Builds a page from a count and a function that reads `limit` rows from `offset`. */
export async function readPage<Item>(
  query: PageQuery,
  count: PromiseLike<number>,
  read: (limit: number, offset: number) => PromiseLike<Item[]>,
): Promise<Page<Item>> {
  const total = await count;
  const items = await read(query.pageSize, (query.page - 1) * query.pageSize);
  return { items, total, page: query.page, pageSize: query.pageSize };
}

/** The same page with every item turned into what the API shows. */
export function mapPage<Row, Item>(page: Page<Row>, show: (row: Row) => Item): Page<Item> {
  return { ...page, items: page.items.map(show) };
}

/** Documents a page of `item` as the answer of a list. */
export function ApiPage(item: Type): MethodDecorator {
  return applyDecorators(
    ApiExtraModels(item),
    ApiOkResponse({
      schema: {
        type: 'object',
        required: ['items', 'total', 'page', 'pageSize'],
        properties: {
          items: { type: 'array', items: { $ref: getSchemaPath(item) } },
          total: { type: 'integer' },
          page: { type: 'integer' },
          pageSize: { type: 'integer' },
        },
      },
    }),
  );
}
