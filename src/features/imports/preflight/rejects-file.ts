import { closeSync, ftruncateSync, openSync, writeSync } from 'node:fs';
import { MAX_LISTED_PROBLEMS, type RowProblem } from '../../../domain/files/index.js';

const HEADER = 'row,column,code,message,value\n';
const PIECE_CHARACTERS = 2 ** 16;

/** Counts rejected records, lists the first of them and writes all of them to a CSV file. */
export class Rejects {
  count = 0;
  readonly byReason: Record<string, number> = {};
  readonly problems: RowProblem[] = [];
  private text = '';

  private constructor(
    private readonly descriptor: number,
    private position: number,
  ) {}

  /** A new file; one that is there is replaced. */
  static create(path: string): Rejects {
    const rejects = new Rejects(openSync(path, 'w'), 0);
    rejects.text = HEADER;
    return rejects;
  }

  /** Goes on behind the first `bytes` of a file, and drops what an interrupted run left there. */
  static goOn(path: string, bytes: number): Rejects {
    const descriptor = openSync(path, 'r+');
    ftruncateSync(descriptor, bytes);
    return new Rejects(descriptor, bytes);
  }

  add(problem: RowProblem): void {
    this.count += 1;
    this.byReason[problem.code] = (this.byReason[problem.code] ?? 0) + 1;
    if (this.problems.length < MAX_LISTED_PROBLEMS) this.problems.push(problem);
    const { row, column, code, message, value } = problem;
    this.text += `${[row, column, code, message, value].map((cell) => csvCell(String(cell ?? ''))).join(',')}\n`;
    if (this.text.length > PIECE_CHARACTERS) this.write();
  }

  /** Writes what is left. Returns the length of the file. */
  finish(): number {
    this.write();
    return this.position;
  }

  close(): void {
    closeSync(this.descriptor);
  }

  private write(): void {
    this.position += writeAll(this.descriptor, Buffer.from(this.text), this.position);
    this.text = '';
  }
}

/** A write may take only a part of what it is given. */
export function writeAll(descriptor: number, bytes: Buffer, position: number): number {
  let written = 0;
  while (written < bytes.length) {
    written += writeSync(descriptor, bytes, written, bytes.length - written, position + written);
  }
  return written;
}

/** A cell that a spreadsheet would take for a formula gets an apostrophe in front. */
function csvCell(text: string): string {
  const safe = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
