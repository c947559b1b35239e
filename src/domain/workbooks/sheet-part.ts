import { columnName, columnOf, parseReference } from './cell-reference.js';
import { WORKBOOK_LIMITS } from './limits.js';
import { isStoredNumber, plainNumber, serialOf } from './number-text.js';
import { attributeOf, type Attributes, type PartHandler } from './part-parser.js';
import { TextCollector, unescapeText } from './rich-text.js';
import { PLAIN_TEXT, type Shortcut } from './shortcut-parser.js';
import type { NumberTexts } from './styles-part.js';
import { damaged } from './workbook-problem.js';

/** A cell: its text, the number of its shared string, or nothing. */
export type SheetCell = string | number | undefined;

/** Hears of the rows of a sheet that have cells, from top to bottom. */
export interface RowSink {
  /** `cells` by 0-based column; valid during the call only. False: enough. */
  row(row: number, cells: readonly SheetCell[]): boolean;
}

const CELL = new RegExp(
  `<c r="([A-Z]{1,3})(\\d+)"(?: s="(\\d+)")?(?: t="([a-zA-Z]+)")?(?:/>|><v>(${PLAIN_TEXT})</v></c>)`,
  'y',
);

/** What a formula without a saved value is read as: an error, as Excel would show one it cannot compute. */
const NOT_CALCULATED = '#CALC!';

/** Reads the cells of a sheet as the texts that they show. */
export class SheetReader implements PartHandler {
  /** Set once the sink had enough; what follows needs no reading. */
  done = false;
  private row = 0;
  private rowText = '0';
  private column = -1;
  private type = 'n';
  private style = 0;
  private value = '';
  private inValue = false;
  private hasValue = false;
  private hasFormula = false;
  private inline: TextCollector | undefined;
  private readonly collector = new TextCollector();
  private cells: SheetCell[] = [];
  private inCell = false;

  constructor(
    private readonly numbers: NumberTexts,
    private readonly sink: RowSink,
  ) {}

  /** Cells as most are: a reference, perhaps a style and a type, and a value. */
  get shortcut(): Shortcut {
    return { marker: '<c r="', end: '</c>', pattern: CELL, take: (match) => this.takeCell(match) };
  }

  open(name: string, attributes: Attributes): void {
    if (name === 'c') this.openCell(attributes);
    else if (name === 'v') {
      this.inValue = this.inCell;
      this.hasValue = true;
    } else if (name === 'row') this.openRow(attributes);
    else if (name === 'f') this.hasFormula = true;
    else if (name === 'is') {
      this.collector.take();
      this.inline = this.collector;
    } else this.inline?.open(name);
  }

  text(text: string): void {
    if (this.inValue) this.value += text;
    else this.inline?.text(text);
  }

  close(name: string): void {
    if (name === 'v') this.inValue = false;
    else if (name === 'c') this.closeCell();
    else if (name === 'row') this.closeRow();
    else if (name === 'is') {
      this.value = this.collector.take();
      this.inline = undefined;
    } else this.inline?.close(name);
  }

  private openRow(attributes: Attributes): void {
    const stated = attributeOf(attributes, 'r');
    const row = stated === undefined ? this.row + 1 : Number(stated);
    if (!Number.isInteger(row) || row <= this.row || row > WORKBOOK_LIMITS.rows) {
      throw damaged(`behind row ${this.row} of the sheet stands one without a number of its own`);
    }
    this.row = row;
    this.rowText = String(row);
    this.column = -1;
    this.cells = [];
  }

  private takeCell([, letters = '', row, style, type, value = '']: RegExpExecArray): void {
    if (row !== this.rowText) throw this.elsewhere();
    this.beginCell(columnOf(letters), style, type);
    if (value === '') return;
    this.value = value;
    this.setCell(this.shown());
  }

  private openCell(attributes: Attributes): void {
    const { r: reference, s: style, t: type } = attributes;
    let column = this.column + 1;
    if (reference !== undefined) {
      const place = parseReference(reference);
      if (place?.row !== this.row) throw this.elsewhere();
      ({ column } = place);
    }
    this.beginCell(column, style, type);
    this.inCell = true;
  }

  private beginCell(column: number, style: string | undefined, type: string | undefined): void {
    if (column <= this.column || column >= WORKBOOK_LIMITS.columns) {
      throw damaged(`the cells of row ${this.row} do not stand in order`, this.row);
    }
    this.column = column;
    this.type = type ?? 'n';
    this.style = style === undefined ? 0 : Number(style);
    this.value = '';
    this.hasValue = false;
    this.hasFormula = false;
  }

  private closeCell(): void {
    this.inCell = false;
    if (this.hasFormula && !this.hasValue && this.type !== 'inlineStr') this.setCell(NOT_CALCULATED);
    else if (this.value !== '') this.setCell(this.shown());
  }

  private setCell(cell: SheetCell): void {
    // Without holes: arrays with them are slow.
    while (this.cells.length < this.column) this.cells.push(undefined);
    this.cells.push(cell);
  }

  private closeRow(): void {
    if (this.cells.length > 0 && !this.done) this.done = !this.sink.row(this.row, this.cells);
    this.cells = [];
  }

  private shown(): SheetCell {
    const { value } = this;
    switch (this.type) {
      case 's':
        return this.sharedIndex(value);
      case 'n':
        if (!isStoredNumber(value)) throw this.unreadable('a number');
        return this.numbers.of(this.style)(value);
      case 'b':
        return value === '1' || value === 'true' ? 'TRUE' : 'FALSE';
      case 'd':
        return this.isoDate(value);
      case 'str':
        return unescapeText(value);
      case 'inlineStr':
      case 'e':
        return value;
      default:
        throw this.unreadable('a type that workbooks know');
    }
  }

  private sharedIndex(value: string): number {
    const index = Number(value);
    if (Number.isInteger(index) && index >= 0) return index;
    throw this.unreadable('the number of a shared string');
  }

  private isoDate(value: string): string {
    const numberText = this.numbers.of(this.style);
    const serial = numberText === plainNumber ? undefined : serialOf(value, this.numbers.date1904);
    return serial === undefined ? value : numberText(serial);
  }

  private elsewhere() {
    return damaged(`a cell of row ${this.row} says it stands elsewhere`, this.row);
  }

  private unreadable(expected: string) {
    const column = columnName(this.column);
    return damaged(`${column} of row ${this.row} does not hold ${expected}`, this.row, column);
  }
}
