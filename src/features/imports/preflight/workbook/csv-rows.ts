import { closeSync, openSync } from 'node:fs';
import {
  columnName,
  damaged,
  tooLarge,
  type RowSink,
  type SheetCell,
  type WorkbookLimits,
} from '../../../../domain/workbooks/index.js';
import { writeAll } from '../rejects-file.js';
import { BYTES_A_UNIT, csvField } from './csv-field.js';
import type { TextStore } from './text-store.js';

const COMMA = 0x2c;
const LINE_FEED = 0x0a;
const PIECE_BYTES = 2 ** 20;

/** What is known of the table before its first row. */
export interface TableShape {
  /** Undefined: the first row is the header and says how many. */
  columns: number | undefined;
  /** Rows taken, header included; the first one beyond is written as well, so that a reader sees it. */
  maxRows: number | undefined;
}

/**
 * Writes the rows of a sheet as CSV. Line n is row n of the sheet: rows without a text are blank lines. A row
 * has as many fields as the header, or more where it holds more.
 */
export class CsvRows implements RowSink {
  /** Rows with a text. */
  rows = 0;
  private lines = 0;
  private columns: number | undefined;
  private position = 0;
  private length = 0;
  private buffer = Buffer.allocUnsafeSlow(2 * PIECE_BYTES);
  private readonly descriptor: number;

  constructor(
    path: string,
    private readonly texts: TextStore,
    private readonly shape: TableShape,
    private readonly limits: WorkbookLimits,
  ) {
    this.columns = shape.columns;
    this.descriptor = openSync(path, 'w');
  }

  row(row: number, cells: readonly SheetCell[]): boolean {
    this.skipTo(row);
    const begin = this.length;
    let end = begin;
    let filled = 0;
    const wanted = Math.max(this.columns ?? 0, cells.length);
    for (let column = 0; column < wanted; column++) {
      if (column > 0) this.byte(COMMA);
      const before = this.length;
      this.field(cells[column], row, column);
      if (this.length > before) filled = column + 1;
      if (filled === column + 1 || column + 1 === this.columns) end = this.length;
    }
    this.length = filled === 0 ? begin : end;
    if (filled > 0) {
      this.rows += 1;
      this.columns ??= filled;
    }
    this.byte(LINE_FEED);
    this.lines = row;
    if (this.length >= PIECE_BYTES) this.flush();
    return this.shape.maxRows === undefined || this.rows <= this.shape.maxRows;
  }

  finish(): void {
    this.flush();
  }

  close(): void {
    closeSync(this.descriptor);
  }

  private skipTo(row: number): void {
    for (; this.lines < row - 1; this.lines++) {
      this.byte(LINE_FEED);
      if (this.length >= PIECE_BYTES) this.flush();
    }
  }

  private field(cell: SheetCell, row: number, column: number): void {
    if (cell === undefined) return;
    if (typeof cell === 'string') {
      const field = csvField(cell);
      this.makeRoom(field.length * BYTES_A_UNIT);
      this.length += this.buffer.write(field, this.length);
      return;
    }
    const found = this.texts.find(cell);
    if (found === undefined) {
      const name = columnName(column);
      throw damaged(`${name} of row ${row} names a shared string that is not there`, row, name);
    }
    this.makeRoom(found.length);
    this.texts.copyTo(this.buffer, this.length, found);
    this.length += found.length;
  }

  private byte(byte: number): void {
    this.makeRoom(1);
    this.buffer[this.length] = byte;
    this.length += 1;
  }

  /** A row is written whole, so it may need more than there is; its length is bounded by the sheet's own limits. */
  private makeRoom(bytes: number): void {
    const needed = this.length + bytes;
    if (needed <= this.buffer.length) return;
    if (needed > MAX_ROW_BYTES) throw tooLarge('a row of it has more than a hundred million characters');
    const larger = Buffer.allocUnsafeSlow(Math.max(needed, this.buffer.length * 2));
    this.buffer.copy(larger, 0, 0, this.length);
    this.buffer = larger;
  }

  private flush(): void {
    this.position += writeAll(this.descriptor, this.buffer.subarray(0, this.length), this.position);
    this.length = 0;
    if (this.position > this.limits.textBytes) {
      throw tooLarge(`the text of its sheet has more than ${this.limits.textBytes} bytes`);
    }
  }
}

/** More than any record that is taken (1 MiB), with room for one that is named as too long. */
const MAX_ROW_BYTES = 2 ** 27;
