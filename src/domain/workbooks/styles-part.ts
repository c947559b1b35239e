import { attributeOf, type Attributes, type PartHandler } from './part-parser.js';
import { builtInFormat, numberTextOf, plainNumber, type NumberText } from './number-text.js';

/** Reads the styles part: which number format each style of cells has. */
export class StylesReader implements PartHandler {
  private readonly codes = new Map<number, string>();
  private readonly formatIds: number[] = [];
  private inCellFormats = false;

  open(name: string, attributes: Attributes): void {
    if (name === 'numFmt') {
      const code = attributeOf(attributes, 'formatCode');
      if (code !== undefined) this.codes.set(Number(attributeOf(attributes, 'numFmtId')), code);
    } else if (name === 'cellXfs') this.inCellFormats = true;
    else if (name === 'xf' && this.inCellFormats) {
      this.formatIds.push(Number(attributeOf(attributes, 'numFmtId') ?? 0));
    }
  }

  text(): void {}

  close(name: string): void {
    if (name === 'cellXfs') this.inCellFormats = false;
  }

  /** The number format of each style, in the order in which cells number them. */
  numberTexts(date1904: boolean): NumberTexts {
    return new NumberTexts(
      this.formatIds.map((id) => this.codes.get(id) ?? builtInFormat(id)),
      date1904,
    );
  }
}

/** How the numbers of cells are shown, by style. */
export class NumberTexts {
  private readonly made: (NumberText | undefined)[] = [];

  constructor(
    private readonly codes: readonly (string | undefined)[],
    readonly date1904: boolean,
  ) {}

  of(style: number): NumberText {
    const known = this.made[style];
    if (known !== undefined) return known;
    if (style >= this.codes.length) return plainNumber;
    const made = numberTextOf(this.codes[style], this.date1904);
    this.made[style] = made;
    return made;
  }
}
