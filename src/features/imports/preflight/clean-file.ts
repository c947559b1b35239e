import { closeSync, openSync } from 'node:fs';
import { TabSeparatedWriter, type RecordFields } from '../../../domain/files/index.js';
import { writeAll } from './rejects-file.js';

/** The good records of a file, written anew in a form that leaves the engine nothing to guess. */
export class CleanFile {
  private position = 0;
  private readonly writer: TabSeparatedWriter;

  private constructor(private readonly descriptor: number) {
    this.writer = new TabSeparatedWriter((piece) => {
      this.position += writeAll(this.descriptor, piece, this.position);
    });
  }

  /** A new file; one that is there is replaced. */
  static create(path: string): CleanFile {
    return new CleanFile(openSync(path, 'w'));
  }

  append(record: RecordFields): void {
    this.writer.append(record);
  }

  finish(): void {
    this.writer.flush();
  }

  close(): void {
    closeSync(this.descriptor);
  }
}
