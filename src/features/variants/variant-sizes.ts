import { Injectable } from '@nestjs/common';
import { inTargetSql, targetOfVariant } from '../../domain/audiences/index.js';
import { InjectWarehouse } from '../../platform/nest/index.js';
import type { Warehouse } from '../../platform/warehouse/index.js';
import { IN_ORDER, membersSql } from '../ledger/index.js';
import type { AbVariant } from './variants.service.js';

/** Tests whose sizes are remembered. A published version never changes, and neither do its sizes. */
const REMEMBERED = 1000;

/** How many members the variants of an audience have. */
@Injectable()
export class VariantSizes {
  /** By test and version; the one that was asked for longest ago goes first. */
  readonly #known = new Map<string, ReadonlyMap<string, number>>();

  constructor(@InjectWarehouse() private readonly warehouse: Warehouse) {}

  /** Members of each variant at a published version, by id: all of them counted in one go. */
  async of(
    audience: { id: number; version: number },
    variants: readonly AbVariant[],
  ): Promise<ReadonlyMap<string, number>> {
    const [first] = variants;
    if (!first || audience.version === 0) return new Map(variants.map(({ id }) => [id, 0]));
    const key = `${first.testId} ${audience.version}`;
    const sizes = this.#known.get(key) ?? (await this.count(audience, variants));
    this.#known.delete(key);
    this.#known.set(key, sizes);
    for (const oldest of this.#known.keys()) {
      if (this.#known.size <= REMEMBERED) break;
      this.#known.delete(oldest);
    }
    return sizes;
  }

  private async count(
    { id, version }: { id: number; version: number },
    variants: readonly AbVariant[],
  ): Promise<ReadonlyMap<string, number>> {
    const counts = variants.map(
      (variant, index) => `countIf(${inTargetSql(targetOfVariant(variant), 'mpid')}) AS v${index}`,
    );
    const [row] = await this.warehouse.query<Record<string, string | number>>(
      `SELECT ${counts.join(', ')} FROM (${membersSql(id, version)})`,
      { settings: IN_ORDER, lane: 'bulk' },
    );
    return new Map(variants.map((variant, index) => [variant.id, Number(row?.[`v${index}`] ?? 0)]));
  }
}
