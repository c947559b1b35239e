import type { IdentityType } from './identity-types.js';
import { JsonText } from './json-text.js';
import type { OutputMember } from './output.js';

/** A column of rows, or a few that stand side by side: what is sent of a type of identity. */
export interface RowColumn<I extends IdentityType = IdentityType> {
  type: I;
  /** Of a combination: whether each of its parts stands in a cell of its own. */
  hasParts?: boolean;
  /** The cells where a member has none, as JSON with commas between: `"","",""`. */
  empty: string;
  /** Cells that follow a value whatever it is, as JSON with a comma in front. */
  behind?: string;
}

/** Rows as JSON, and whose they are. */
export interface RowsJson {
  /** Array of the rows, each an array of strings. */
  data: JsonText;
  /** How many rows. */
  size: number;
  /** The member in the batch that each row is of. */
  owners: readonly number[];
}

/** How rows are to be written. */
export interface RowsOptions {
  /** Rows of one array, at most. */
  most: number;
  /** Bytes to be put in front of each array in the end, see {@link JsonText.take}. */
  room?: number;
}

/** Stands between the parts of a combination; in none of them. */
const BETWEEN_PARTS = '|';

/** The rows of members that are objects already: see `Batch.rowsJson`. */
export function rowsOfObjects<I extends IdentityType>(
  members: readonly OutputMember<I>[],
  columns: readonly RowColumn<I>[],
  { most, room }: RowsOptions,
  newText = () => new JsonText(undefined, room),
): RowsJson[] {
  const rows = members.flatMap((member, owner) =>
    rowsOfMember(member, columns).map((json) => ({ json, owner })),
  );
  return Array.from({ length: Math.ceil(rows.length / most) }, (_, index) => {
    const some = rows.slice(index * most, (index + 1) * most);
    const data = newText();
    data.add(`[${some.map(({ json }) => json).join(',')}]`);
    return { data, size: some.length, owners: some.map(({ owner }) => owner) };
  });
}

function rowsOfMember<I extends IdentityType>(
  { identities }: OutputMember<I>,
  columns: readonly RowColumn<I>[],
): string[] {
  const all = identities as { readonly [type: string]: readonly string[] | undefined };
  const height = Math.max(0, ...columns.map(({ type }) => all[type]?.length ?? 0));
  return Array.from({ length: height }, (_, row) => {
    const cells = columns.map(({ type, hasParts, empty, behind = '' }) => {
      const value = all[type]?.[row];
      if (value === undefined) return empty;
      const texts = hasParts ? value.split(BETWEEN_PARTS) : [value];
      return texts.map((text) => JSON.stringify(text)).join(',') + behind;
    });
    return `[${cells.join(',')}]`;
  });
}
