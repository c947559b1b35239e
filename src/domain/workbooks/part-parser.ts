import { SaxesParser } from 'saxes';
import { WORKBOOK_LIMITS } from './limits.js';
import type { Shortcut } from './shortcut-parser.js';
import { damaged, WorkbookProblem } from './workbook-problem.js';

/** Attributes by name, as written. */
export type Attributes = Readonly<Record<string, string>>;

/** What reads a part. Names come without their namespace prefix: writers differ in it. */
export interface PartHandler {
  open(name: string, attributes: Attributes): void;
  text(text: string): void;
  close(name: string): void;
  /** Elements that it can take at one stroke. */
  readonly shortcut?: Shortcut;
}

/** One XML part of a workbook, fed in pieces of text. Throws {@link WorkbookProblem}. */
export class PartParser {
  private readonly sax = new SaxesParser<{ position: false; xmlns: false }>({
    position: false,
    xmlns: false,
  });
  private readonly names = new Map<string, string>();
  private depth = 0;
  private sinceTag = 0;

  /** `part`: what it is called in problems, "the sheet". */
  constructor(
    private readonly part: string,
    handler: PartHandler,
  ) {
    const { sax } = this;
    sax.on('opentag', ({ name, attributes }) => {
      this.sinceTag = 0;
      this.depth += 1;
      if (this.depth > WORKBOOK_LIMITS.depth) throw damaged(`${part} nests its elements without end`);
      handler.open(this.localName(name), attributes);
    });
    sax.on('closetag', ({ name }) => {
      this.sinceTag = 0;
      this.depth -= 1;
      handler.close(this.localName(name));
    });
    sax.on('text', (text) => handler.text(text));
    sax.on('cdata', (text) => handler.text(text));
    sax.on('doctype', () => {
      throw damaged(`${part} declares a DOCTYPE, which no workbook has`);
    });
    sax.on('xmldecl', ({ encoding }) => {
      if (encoding === undefined || /^utf-?(?:8|16)$/i.test(encoding)) return;
      throw damaged(`${part} is written in an encoding that workbooks do not have`);
    });
  }

  write(text: string): void {
    this.sinceTag += text.length;
    this.guarded(() => this.sax.write(text));
    if (this.sinceTag <= WORKBOOK_LIMITS.charactersBetweenTags) return;
    throw damaged(`${this.part} has millions of characters without a tag`);
  }

  end(): void {
    this.guarded(() => this.sax.close());
  }

  /** The parser's own messages may quote cells, so they are not repeated. */
  private guarded(work: () => void): void {
    try {
      work();
    } catch (error) {
      if (error instanceof WorkbookProblem) throw error;
      if (error instanceof Error && error.constructor === Error) {
        throw damaged(`${this.part} is no well-formed XML`);
      }
      throw error;
    }
  }

  private localName(name: string): string {
    const known = this.names.get(name);
    if (known !== undefined) return known;
    const local = name.slice(name.indexOf(':') + 1);
    if (this.names.size < NAMES_KEPT) this.names.set(name, local);
    return local;
  }
}

const NAMES_KEPT = 1000;

/** An attribute by its name without prefix. */
export function attributeOf(attributes: Attributes, name: string): string | undefined {
  const plain = attributes[name];
  if (plain !== undefined) return plain;
  const found = Object.keys(attributes).find((key) => key.endsWith(`:${name}`));
  return found === undefined ? undefined : attributes[found];
}

/** `1`, `true`, `on`. */
export function isOn(value: string | undefined): boolean {
  return value === '1' || value === 'true' || value === 'on';
}
