import type { NormalisationProfile } from '../../kit/index.js';
import { maskValue } from '../files/mask.js';
import type { NormaliseOptions } from '../identities/index.js';
import { trimmed } from '../identities/text.js';
import type { LeftOutReason, ProfileField } from './partner-rule.js';
import { readForPartner, type PartnerReading } from './partner-value.js';
import { profileFieldOf } from './profile-columns.js';
import { profileRule } from './profiles.js';

/** What two profiles make of one cell. */
export const CELL_CLASSES = ['same', 'differs', 'onlyFirst', 'onlySecond', 'neither', 'empty'] as const;

/** One of {@link CELL_CLASSES}. */
export type CellClass = (typeof CELL_CLASSES)[number];

/** Cells of a column that are shown. */
const MAX_EXAMPLES = 3;
/** Sets of columns that are told apart; further ones are counted together under the last. */
const MAX_ROW_CLASSES = 50;

/** A cell of which the profiles make different things. All texts are masked. */
export interface DiffExample {
  /** 1-based record of the file. */
  row: number;
  cell: string;
  /** What each profile makes of it; null where it sends nothing. */
  first: string | null;
  second: string | null;
  /** Why one sends nothing. */
  reason?: LeftOutReason;
}

/** What became of one column. */
export interface ColumnDiff {
  /** 1-based. */
  number: number;
  header: string;
  field: ProfileField;
  /** Whether each partner wants the field hashed; null where it does not take it. */
  hashed: readonly [boolean | null, boolean | null];
  cells: Record<CellClass, number>;
  examples: DiffExample[];
}

/** Rows in which the same columns differ. */
export interface RowClass {
  /** Headers; none: the profiles agree on the row. */
  columns: readonly string[];
  rows: number;
}

/** Compares two profiles over the rows of a file, in memory that does not grow with it. */
export class ProfileDiff {
  /** Columns that hold a field which one of the partners takes. */
  readonly columns: ColumnDiff[];
  rows = 0;
  differingRows = 0;
  readonly #rowClasses = new Map<string, { columns: string[]; rows: number }>();

  constructor(
    private readonly first: NormalisationProfile,
    private readonly second: NormalisationProfile,
    headers: readonly string[],
    private readonly options: NormaliseOptions = {},
  ) {
    this.columns = headers.flatMap((header, index) => {
      const field = profileFieldOf(header);
      if (field === undefined) return [];
      const [one, other] = [profileRule(first, field), profileRule(second, field)];
      if (!one && !other) return [];
      const cells = { same: 0, differs: 0, onlyFirst: 0, onlySecond: 0, neither: 0, empty: 0 };
      const hashed = [one?.hashed ?? null, other?.hashed ?? null] as const;
      return [{ number: index + 1, header, field, hashed, cells, examples: [] }];
    });
  }

  /** Takes one record. `cellAt` gives the text of a column, counted from 0; '' where the record has none. */
  add(row: number, cellAt: (index: number) => string): void {
    const differing = this.columns.filter((column) => this.#compare(column, row, cellAt(column.number - 1)));
    this.rows += 1;
    if (differing.length > 0) this.differingRows += 1;
    this.#count(differing.map(({ header }) => header));
  }

  /** Rows by the columns that differ in them, the most frequent first. */
  get rowClasses(): RowClass[] {
    return [...this.#rowClasses.values()].sort((one, other) => other.rows - one.rows);
  }

  /** True where the profiles make different things of the cell. */
  #compare(column: ColumnDiff, row: number, cell: string): boolean {
    if (trimmed(cell) === '') {
      column.cells.empty += 1;
      return false;
    }
    const one = readForPartner(this.first, column.field, cell, 'sha256', this.options);
    const other = readForPartner(this.second, column.field, cell, 'sha256', this.options);
    const found = classOf(one, other);
    column.cells[found] += 1;
    if (found === 'same' || found === 'neither') return false;
    if (column.examples.length < MAX_EXAMPLES) {
      const reason = one?.reason ?? other?.reason;
      column.examples.push({
        row,
        cell: masked(cell),
        first: shown(one),
        second: shown(other),
        ...(reason ? { reason } : {}),
      });
    }
    return true;
  }

  #count(headers: string[]): void {
    const key = JSON.stringify(headers);
    const known = this.#rowClasses.get(key);
    if (known) known.rows += 1;
    else if (this.#rowClasses.size < MAX_ROW_CLASSES)
      this.#rowClasses.set(key, { columns: headers, rows: 1 });
    else {
      const others = this.#rowClasses.get('others') ?? { columns: ['(other columns)'], rows: 0 };
      this.#rowClasses.set('others', { ...others, rows: others.rows + 1 });
    }
  }
}

function classOf(one: PartnerReading | undefined, other: PartnerReading | undefined): CellClass {
  const [first, second] = [one?.value ?? '', other?.value ?? ''];
  if (first === second) return first === '' ? 'neither' : 'same';
  if (first === '') return 'onlySecond';
  return second === '' ? 'onlyFirst' : 'differs';
}

function shown(reading: PartnerReading | undefined): string | null {
  return reading === undefined || reading.value === '' ? null : masked(reading.value);
}

/** With the length, by which two masked addresses can be told apart. */
function masked(text: string): string {
  const mask = maskValue(text);
  return mask.endsWith(')') ? mask : `${mask}(${Array.from(text).length})`;
}
