import { COMPILED_WRITER } from './compiled-writer.js';

/*
 * The memory of the writer that is compiled, as `assembly/memory.ts` has it: fields, the layout of what is written, and behind
 * them the windows, which are as large as what was written so far needed.
 */

/** What the writer returns. */
export const STATUS = { done: 0, identities: 1, attributes: 2, room: 3, values: 4, enough: 5 } as const;

/** Fields, by their places in `fields`. */
export const FIELD = {
  owner: 0,
  ownersEnd: 1,
  identity: 2,
  identitiesEnd: 3,
  isLastIdentity: 4,
  attribute: 5,
  attributesEnd: 6,
  isLastAttribute: 7,
  out: 8,
  outEnd: 9,
  written: 10,
  most: 11,
  row: 12,
  member: 13,
  values: 14,
  valuesEnd: 15,
  rowOwners: 16,
  columns: 17,
  longest: 18,
} as const;

/** Where a layout begins, and where its texts do. */
export const [LAYOUT_AT, TEXTS_AT] = [0x400, 0x4000];

const PAGE_BYTES = 2 ** 16;
/** Behind each window: the writer copies sixteen bytes at a time. */
const SPARE_BYTES = 32;
const ALIGNED = 16;

/** Bytes of the windows at first. */
const FIRST_BYTES = {
  owners: 8000,
  rowOwners: 2 ** 14,
  values: 2 ** 12,
  identities: 2 ** 17,
  attributes: 2 ** 17,
  room: 2 ** 19,
};

export type Window = keyof typeof FIRST_BYTES;

/** As much of WebAssembly as is needed: Node has it, and its types have not. */
declare const WebAssembly: {
  Module: new (bytes: Uint8Array) => object;
  Instance: new (module: object, imports: object) => { exports: unknown };
};

interface Compiled {
  memory: { buffer: ArrayBuffer; grow(pages: number): number };
  write(): number;
}

/** The writer and its memory, of which there is one: it is filled, written and read in one go. */
export class WriterMemory {
  bytes: Uint8Array<ArrayBuffer>;
  fields: Int32Array<ArrayBuffer>;
  /** Where each window begins. */
  readonly at: Record<Window, number>;
  readonly size: Record<Window, number> = { ...FIRST_BYTES };
  #layout: Uint8Array | undefined;
  readonly #compiled: Compiled;

  constructor() {
    const module = new WebAssembly.Module(Buffer.from(COMPILED_WRITER, 'base64'));
    const escape = (from: number, end: number, to: number) => this.escape(from, end, to);
    this.#compiled = new WebAssembly.Instance(module, { writer: { escape } }).exports as Compiled;
    const { buffer } = this.#compiled.memory;
    this.bytes = new Uint8Array(buffer);
    this.fields = new Int32Array(buffer);
    this.at = { ...FIRST_BYTES };
    this.place();
  }

  /** Makes `layout` the one that is written by. */
  use(layout: Uint8Array): void {
    if (this.#layout === layout) return;
    this.#layout = layout;
    this.place();
    this.bytes.set(layout, LAYOUT_AT);
  }

  /** Doubles a window. What is in the windows is lost. */
  widen(window: Window): void {
    this.size[window] *= 2;
    this.place();
  }

  write(): number {
    return this.#compiled.write();
  }

  /** Puts the windows behind the layout. */
  private place(): void {
    let at = LAYOUT_AT + Math.max(this.#layout?.length ?? 0, TEXTS_AT - LAYOUT_AT);
    for (const window of Object.keys(this.size) as Window[]) {
      at = Math.ceil(at / ALIGNED) * ALIGNED;
      this.at[window] = at;
      at += this.size[window] + SPARE_BYTES;
    }
    const missing = Math.ceil((at - this.bytes.length) / PAGE_BYTES);
    if (missing <= 0) return;
    this.#compiled.memory.grow(missing);
    const { buffer } = this.#compiled.memory;
    this.bytes = new Uint8Array(buffer);
    this.fields = new Int32Array(buffer);
  }

  /** Called by the writer: what is no UTF-8 becomes U+FFFD. */
  private escape(from: number, end: number, to: number): number {
    const text = Buffer.from(this.bytes.buffer, from, end - from).toString('utf8');
    const json = Buffer.from(JSON.stringify(text));
    this.bytes.set(json, to);
    return json.length;
  }
}
