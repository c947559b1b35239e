import { posix } from 'node:path';

/** Statuses that a file of the stand-in answers with. */
export class Refusal extends Error {
  constructor(
    readonly status: number,
    message = `status ${status}`,
  ) {
    super(message);
  }
}

const NO_SUCH_FILE = 2;
const FAILURE = 4;

/** Folders and files of a server, with the habits of OpenSSH: nothing is made or replaced by the way. */
export class MemoryFiles {
  readonly files = new Map<string, Buffer>();
  readonly folders = new Set(['/']);

  isFolder(path: string): boolean {
    return this.folders.has(path);
  }

  open(path: string, flags: { create: boolean; truncate: boolean }): void {
    if (this.folders.has(path)) throw new Refusal(FAILURE);
    const kept = this.files.get(path);
    if (kept && !flags.truncate) return;
    if (!kept && !flags.create) throw new Refusal(NO_SUCH_FILE);
    if (!this.folders.has(posix.dirname(path))) throw new Refusal(NO_SUCH_FILE);
    this.files.set(path, Buffer.alloc(0));
  }

  write(path: string, offset: number, data: Buffer): void {
    const before = this.read(path);
    const after = Buffer.alloc(Math.max(before.byteLength, offset + data.byteLength));
    before.copy(after);
    data.copy(after, offset);
    this.files.set(path, after);
  }

  read(path: string): Buffer {
    const body = this.files.get(path);
    if (!body) throw new Refusal(NO_SUCH_FILE);
    return body;
  }

  truncate(path: string, size: number): void {
    this.files.set(path, this.read(path).subarray(0, size));
  }

  makeFolder(path: string): void {
    if (!this.folders.has(posix.dirname(path))) throw new Refusal(NO_SUCH_FILE);
    if (this.folders.has(path) || this.files.has(path)) throw new Refusal(FAILURE);
    this.folders.add(path);
  }

  rename(from: string, to: string, replace: boolean): void {
    const body = this.read(from);
    if (this.folders.has(to) || (!replace && this.files.has(to))) throw new Refusal(FAILURE);
    if (!this.folders.has(posix.dirname(to))) throw new Refusal(NO_SUCH_FILE);
    this.files.delete(from);
    this.files.set(to, body);
  }

  delete(path: string): void {
    if (!this.files.delete(path)) throw new Refusal(NO_SUCH_FILE);
  }

  /** Text of every file whose name does not begin with a dot, by path. */
  texts(): Record<string, string> {
    const shown = [...this.files].filter(([path]) => !posix.basename(path).startsWith('.'));
    return Object.fromEntries(
      shown.sort(([one], [other]) => one.localeCompare(other)).map(([path, body]) => [path, body.toString()]),
    );
  }
}
