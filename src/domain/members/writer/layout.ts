import type { RowColumn } from '../../../kit/index.js';
import type { MemberRows } from '../member-rows.js';
import { LAYOUT_AT, TEXTS_AT } from './writer-memory.js';

/** How members become JSON, as the writer reads it. */
export interface Layout {
  image: Uint8Array;
  /** 0: each member becomes an object; else rows of so many columns. */
  columns: number;
  /** Bytes of the longest text in it. */
  longest: number;
  /** About how many bytes a member's identities have, from what was written last. */
  bytesPerOwner: number;
}

// Addresses of its tables, which `assembly/memory.ts` knows as well.
const [PLACE_OF, PACKED, TYPE_OF, HAS_OTHERS] = [0x400, 0x500, 0x600, 0x800];
const [OPENING, NEXT] = [0x700, 0x708];
const [FIRST_HEADS, HEADS_BEHIND_ATTRIBUTES, NEXT_HEADS] = [0x1000, 0x1800, 0x2000];
const [FIRST_NAMES, NEXT_NAMES] = [0x2800, 0x3000];
const [COLUMN, COLUMN_BYTES] = [0x3800, 24];
const MOST_COLUMNS = Math.floor((TEXTS_AT - COLUMN) / COLUMN_BYTES);

const PIECE_BYTES = 8;
const PLACES = 256;
const FIRST_BYTES_PER_OWNER = 64;
/** The writer copies sixteen bytes at a time. */
const SPARE = Buffer.alloc(16);

/** Members as the kit's `OutputMember`, attributes first. */
export function objectLayout(rows: MemberRows): Layout {
  const image = new Image(rows);
  image.piece(OPENING, '{"mpid":"');
  image.piece(NEXT, ']}},{"mpid":"');
  for (const [place, type] of rows.types.entries()) {
    const head = `${JSON.stringify(type)}:[`;
    image.piece(FIRST_HEADS + place * PIECE_BYTES, `","identities":{${head}`);
    image.piece(HEADS_BEHIND_ATTRIBUTES + place * PIECE_BYTES, `},"identities":{${head}`);
    image.piece(NEXT_HEADS + place * PIECE_BYTES, `],${head}`);
  }
  for (const [place, name] of rows.names.entries()) {
    image.piece(FIRST_NAMES + place * PIECE_BYTES, `","attributes":{${JSON.stringify(name)}:`);
    image.piece(NEXT_NAMES + place * PIECE_BYTES, `,${JSON.stringify(name)}:`);
  }
  return image.layout(0);
}

/** A row for a member, and another one for every further value that it has of a column's type. */
export function rowLayout(rows: MemberRows, columns: readonly RowColumn[]): Layout {
  if (columns.length === 0 || columns.length > MOST_COLUMNS) {
    throw new RangeError(`Rows have 1 to ${MOST_COLUMNS} columns, not ${columns.length}.`);
  }
  const image = new Image(rows);
  image.piece(OPENING, '[');
  image.piece(NEXT, '],[');
  for (const [index, { type, hasParts, empty, behind = '' }] of columns.entries()) {
    const at = COLUMN + index * COLUMN_BYTES;
    image.word(at, image.numberOf(type));
    image.word(at + 4, hasParts ? 1 : 0);
    image.piece(at + 8, empty);
    image.piece(at + 16, behind);
  }
  return image.layout(columns.length);
}

class Image {
  private readonly tables = Buffer.alloc(TEXTS_AT - LAYOUT_AT);
  private readonly texts: Buffer[] = [];
  private textsEnd = TEXTS_AT;
  private longest = 0;
  private readonly types: string[];

  constructor({ types, packed, placeOf }: MemberRows) {
    this.types = [...new Set(types)];
    for (let code = 0; code < PLACES; code += 1) this.byte(PLACE_OF + code, placeOf?.[code] ?? code);
    for (const [place, isPacked] of packed.entries()) this.byte(PACKED + place, isPacked ? 1 : 0);
    for (const [place, type] of types.entries()) {
      this.byte(TYPE_OF + place, this.types.indexOf(type));
      this.byte(HAS_OTHERS + place, types.indexOf(type) === types.lastIndexOf(type) ? 0 : 1);
    }
  }

  /** The number that stands for a type; that of none where no place is of it. */
  numberOf(type: string): number {
    const number = this.types.indexOf(type);
    return number < 0 ? PLACES : number;
  }

  byte(at: number, value: number): void {
    this.tables[at - LAYOUT_AT] = value;
  }

  word(at: number, value: number): void {
    this.tables.writeInt32LE(value, at - LAYOUT_AT);
  }

  piece(at: number, text: string): void {
    const bytes = Buffer.from(text);
    this.word(at, this.textsEnd);
    this.word(at + 4, bytes.length);
    this.texts.push(bytes);
    this.textsEnd += bytes.length;
    this.longest = Math.max(this.longest, bytes.length);
  }

  layout(columns: number): Layout {
    const image = Buffer.concat([this.tables, ...this.texts, SPARE]);
    return { image, columns, longest: this.longest, bytesPerOwner: FIRST_BYTES_PER_OWNER };
  }
}
