import { foldHeader } from './columns.js';
import type { ColumnMapping } from './column-mapping.js';

/** Columns of one file that are kept as attributes, in file order. */
export const MAX_ATTRIBUTES = 50;
/** A longer value is left out: cut short, it would say something else. */
export const MAX_ATTRIBUTE_BYTES = 500;
/** A longer name is no name of a column. */
export const MAX_ATTRIBUTE_NAME_LENGTH = 100;

/** A column that is kept as an attribute of the profiles. */
export interface AttributeColumn {
  /** What files that spell it otherwise mean as well. */
  key: string;
  name: string;
  /** 0-based. */
  column: number;
}

/** Which columns without an identity are kept as attributes, and which are too many or have no usable name. */
export function attributeColumns({ attributes }: Pick<ColumnMapping, 'attributes'>): {
  kept: AttributeColumn[];
  leftOut: AttributeColumn[];
} {
  const all = attributes.map(({ name, column }) => ({ key: foldHeader(name), name: name.trim(), column }));
  const named = all.filter(({ name }) => name.length <= MAX_ATTRIBUTE_NAME_LENGTH);
  const kept = named.slice(0, MAX_ATTRIBUTES);
  return { kept, leftOut: all.filter((column) => !kept.includes(column)) };
}

/** An attribute that is shared with a partner. */
export interface SharedAttribute {
  /** As profiles keep it. */
  key: string;
  /** As somebody chose it: the partner sees it under this name, however the next file spells it. */
  name: string;
}

/** Attributes by the names that were chosen; of names that mean the same one, the first. */
export function sharedAttributes(names: readonly string[]): SharedAttribute[] {
  const shared = new Map<string, SharedAttribute>();
  for (const raw of names) {
    const name = raw.trim();
    const key = foldHeader(name);
    if (key !== '' && !shared.has(key)) shared.set(key, { key, name });
  }
  return [...shared.values()];
}
