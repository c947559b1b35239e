import { PLAIN_TEXT, type Shortcut } from './shortcut-parser.js';
import type { PartHandler } from './part-parser.js';
import { TextCollector, unescapeText } from './rich-text.js';

const ITEM = new RegExp(`<si><t(?: xml:space="preserve")?>(${PLAIN_TEXT})</t></si>`, 'y');

/** Reads the shared strings part: hands every text on, in the order in which cells number them. */
export class SharedStringsReader implements PartHandler {
  private readonly collector = new TextCollector();
  private inItem = false;

  constructor(private readonly sink: (text: string) => void) {}

  /** Texts without formatting. */
  get shortcut(): Shortcut {
    const take = ([, text = '']: RegExpExecArray) => this.sink(unescapeText(text));
    return { marker: '<si><t', end: '</si>', pattern: ITEM, take };
  }

  open(name: string): void {
    if (name === 'si') {
      this.inItem = true;
      this.collector.take();
    } else if (this.inItem) this.collector.open(name);
  }

  text(text: string): void {
    if (this.inItem) this.collector.text(text);
  }

  close(name: string): void {
    if (!this.inItem) return;
    if (name !== 'si') {
      this.collector.close(name);
      return;
    }
    this.inItem = false;
    this.sink(this.collector.take());
  }
}
