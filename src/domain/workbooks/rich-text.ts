const ESCAPED = /_x([\da-f]{4})_/gi;

/** Text of a cell: writers put characters that XML cannot hold as `_x000D_`. */
export function unescapeText(text: string): string {
  if (!text.includes('_x')) return text;
  return text.replaceAll(ESCAPED, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16)));
}

/** Collects the runs of a text (`t`), with the reading aids (`rPh`) of Japanese ones left out. */
export class TextCollector {
  private runs = '';
  private inRun = false;
  private inReadingAid = false;

  open(name: string): void {
    if (name === 't') this.inRun = true;
    else if (name === 'rPh') this.inReadingAid = true;
  }

  text(text: string): void {
    if (this.inRun && !this.inReadingAid) this.runs += text;
  }

  close(name: string): void {
    if (name === 't') this.inRun = false;
    else if (name === 'rPh') this.inReadingAid = false;
  }

  /** What was collected; the next text begins empty. */
  take(): string {
    const text = unescapeText(this.runs);
    this.runs = '';
    this.inRun = false;
    this.inReadingAid = false;
    return text;
  }
}
