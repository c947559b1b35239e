import { Presets, SingleBar } from 'cli-progress';

/** Where a command says things. Results go to standard output, all else to standard error. */
export class Screen {
  constructor(
    /** Results as one JSON document, and nothing else on standard output. */
    readonly json: boolean,
    private readonly out: NodeJS.WriteStream = process.stdout,
    private readonly err: NodeJS.WriteStream = process.stderr,
  ) {}

  /** The result of the command: `document` with --json, else the lines of `lines`. */
  result(document: unknown, lines: readonly string[]): void {
    this.out.write(this.json ? `${JSON.stringify(document)}\n` : lines.map((line) => `${line}\n`).join(''));
  }

  /** Something on the way, for people. */
  note(line: string): void {
    if (!this.json) this.err.write(`${line}\n`);
  }

  /** A bar on a terminal; elsewhere a line whenever the word changes; nothing with --json. */
  progress(): Progress {
    if (this.json) return SILENT;
    return this.err.isTTY ? barOn(this.err) : linesOn((line) => this.note(line));
  }
}

/** Tells how far something is. */
export interface Progress {
  at(done: number, total: number, word: string): void;
  end(): void;
}

const SILENT: Progress = { at: () => undefined, end: () => undefined };

function barOn(stream: NodeJS.WriteStream): Progress {
  const format = '{bar} {percentage}% {word}';
  const bar = new SingleBar(
    { format, stream, clearOnComplete: true, hideCursor: true },
    Presets.shades_classic,
  );
  let started = false;
  return {
    at(done, total, word) {
      if (!started) bar.start(total, done, { word });
      started = true;
      bar.setTotal(total);
      bar.update(done, { word });
    },
    end() {
      if (started) bar.stop();
    },
  };
}

function linesOn(say: (line: string) => void): Progress {
  let last = '';
  return {
    at(_done, _total, word) {
      if (word !== last) say(word);
      last = word;
    },
    end: () => undefined,
  };
}

/** Columns under each other; numbers to the right. */
export function table(headers: readonly string[], rows: readonly (readonly (string | number)[])[]): string[] {
  const cells = [headers, ...rows].map((row) => row.map(String));
  const widths = headers.map((_, column) => Math.max(...cells.map((row) => (row[column] ?? '').length)));
  const isNumber = headers.map(
    (_, column) => rows.length > 0 && rows.every((row) => typeof row[column] === 'number'),
  );
  return cells.map((row) =>
    row
      .map((cell, column) => {
        const width = widths[column] ?? 0;
        return isNumber[column] ? cell.padStart(width) : cell.padEnd(width);
      })
      .join('  ')
      .trimEnd(),
  );
}
