import type { PartParser } from './part-parser.js';

/** Elements that are read at one stroke, because nearly all of a part are such and look alike. */
export interface Shortcut {
  /** How each begins: `<c r="`. */
  marker: string;
  /** How each ends, unless it is empty: `</c>`. */
  end: string;
  /** Sticky; matches one whole, well-formed element, or nothing. */
  pattern: RegExp;
  take: (match: RegExpExecArray) => void;
}

/** Text that was held back is given up for the parser beyond this; no element that looks alike is as long. */
const MAX_HELD = 2 ** 17;
/** Where markup may hide what looks like an element: comments, CDATA, processing instructions. */
const HIDING = /<(?:!|\?(?!xml ))/;

/**
 * Feeds a part to its parser, but for the elements that a {@link Shortcut} takes: those are cut out. What is left
 * is well-formed just where the whole is, so the parser still decides that.
 */
export class ShortcutParser {
  private held = '';
  private off = false;

  constructor(
    private readonly parser: PartParser,
    private readonly shortcut: Shortcut,
  ) {}

  write(piece: string): void {
    const text = this.held + piece;
    this.held = '';
    this.off ||= HIDING.test(text);
    if (this.off) this.parser.write(text);
    else this.cut(text);
  }

  end(): void {
    this.parser.write(this.held);
    this.parser.end();
  }

  private cut(text: string): void {
    const { marker, end, pattern, take } = this.shortcut;
    let sent = 0;
    let index = text.indexOf(marker);
    while (index >= 0) {
      pattern.lastIndex = index;
      const match = pattern.exec(text);
      if (match === null) {
        if (!text.includes(end, index)) break;
        index = text.indexOf(marker, index + marker.length);
        continue;
      }
      if (index > sent) this.parser.write(text.slice(sent, index));
      take(match);
      sent = pattern.lastIndex;
      index = text.indexOf(marker, sent);
    }
    this.hold(text, sent, index < 0 ? text.lastIndexOf('<') : index);
  }

  /** Keeps what may be the first half of an element, from `from` on, for the next piece. */
  private hold(text: string, sent: number, from: number): void {
    const start = from < sent || text.length - from > MAX_HELD ? text.length : from;
    if (start > sent) this.parser.write(text.slice(sent, start));
    this.held = text.slice(start);
  }
}

/** Class content of characters that XML text cannot hold as they are, or that a parser changes. */
const NOT_PLAIN = `<>&${String.fromCharCode(0)}-${String.fromCharCode(0x1f)}${String.fromCharCode(0xfffe, 0xffff)}`;

/** Pattern of text that stands in XML as it is read. */
export const PLAIN_TEXT = `[^${NOT_PLAIN}]*`;
