import { sqlString } from '../sql-text.js';

/**
 * Character class content of everything that looks like nothing: ASCII and Unicode white space, no-break
 * and zero-width spaces, the byte order mark. Written as characters, which RE2 and JavaScript read alike.
 */
export const BLANKS = `\\t-\\r ${[
  0x85, 0xa0, 0x1680, 0x2000, 0x2001, 0x2002, 0x2003, 0x2004, 0x2005, 0x2006, 0x2007, 0x2008, 0x2009, 0x200a,
  0x200b, 0x2028, 0x2029, 0x202f, 0x205f, 0x3000, 0xfeff,
]
  .map((codePoint) => String.fromCodePoint(codePoint))
  .join('')}`;

const OUTER_BLANKS = `^[${BLANKS}]+|[${BLANKS}]+$`;

/** A regular expression that RE2 and JavaScript read alike, for both twins of a rule. */
export class SharedPattern {
  private readonly regExp: RegExp;
  private readonly everywhere: RegExp;

  constructor(private readonly source: string) {
    this.regExp = new RegExp(source, 'u');
    this.everywhere = new RegExp(source, 'gu');
  }

  matches(text: string): boolean {
    return this.regExp.test(text);
  }

  matchesSql(text: string): string {
    return `match(${text}, ${sqlString(this.source)})`;
  }

  /** First match, or ''. */
  find(text: string): string {
    return this.regExp.exec(text)?.[0] ?? '';
  }

  /** Twin of {@link find}; the pattern must have no capturing group. */
  findSql(text: string): string {
    return `extract(${text}, ${sqlString(this.source)})`;
  }

  replaceAll(text: string, by: string): string {
    return text.replace(this.everywhere, by);
  }

  /** Twin of {@link replaceAll}; `by` must hold neither `$` nor a backslash. */
  replaceAllSql(text: string, by: string): string {
    return `replaceRegexpAll(${text}, ${sqlString(this.source)}, ${sqlString(by)})`;
  }
}

const outerBlanks = new SharedPattern(OUTER_BLANKS);

/** Without {@link BLANKS} at either end. */
export function trimmed(text: string): string {
  return outerBlanks.replaceAll(text, '');
}

export function trimmedSql(text: string): string {
  return outerBlanks.replaceAllSql(text, '');
}

const ASCII_BLANKS = ' \t\n\v\f\r';
const outerAsciiBlanks = new SharedPattern('^[\\t-\\r ]+|[\\t-\\r ]+$');

/** Without ASCII white space at either end. */
export function asciiTrimmed(text: string): string {
  return outerAsciiBlanks.replaceAll(text, '');
}

/** Twin of {@link asciiTrimmed}, without a regular expression: columns with millions of ids pass through it. */
export function asciiTrimmedSql(text: string): string {
  return `trimBoth(${text}, ${sqlString(ASCII_BLANKS)})`;
}

/** a–z only: ids and hashes are ASCII, and no other letter may turn into one of theirs. */
export function asciiLower(text: string): string {
  return text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
}

export function asciiUpper(text: string): string {
  return text.replace(/[a-z]+/g, (letters) => letters.toUpperCase());
}

export function byteLength(text: string): number {
  return Buffer.byteLength(text);
}
