import { posix } from 'node:path';
import { isNativeError } from 'node:util/types';
import type { SFTPWrapper, Stats } from 'ssh2';
import { sftpFaultOf, STATUS } from './sftp-fault.js';

/** What every server takes in one write, by the protocol. */
const CHUNK_BYTES = 32_768;
/** Writes under way at once: a far server answers each only after a while. */
const WRITES_AT_ONCE = 8;
/** What ssh2 says where a server does not offer `posix-rename@openssh.com`. */
const NO_EXTENSION = 'does not support this extended request';

type Answer<T> = (error: Error | null | undefined, value: T) => void;

/** Files of a server, in one session. Paths are relative to the user's start, or absolute. */
export class Remote {
  /** @param lost rejects when the connection is gone: then nobody answers any more. */
  constructor(
    private readonly sftp: SFTPWrapper,
    private readonly host: string,
    private readonly lost: Promise<never>,
  ) {}

  /** Makes the folder of `path`, and those above it. */
  async makeFolderOf(path: string): Promise<void> {
    const folder = posix.dirname(path);
    await this.try(`making the folder ${folder}`, () => this.makeFolder(folder));
  }

  /** Writes `body` to `path`: as the whole file, or from `offset` on into the one that is there. */
  async write(path: string, body: Buffer, offset = 0): Promise<void> {
    await this.try(`writing ${path}`, async () => {
      const handle = await this.ask<Buffer>((done) => this.sftp.open(path, offset === 0 ? 'w' : 'r+', done));
      const chunks = chunksOf(body);
      const lanes = Array.from({ length: WRITES_AT_ONCE }, () => this.writeAll(handle, body, offset, chunks));
      const results = await Promise.allSettled(lanes);
      // Some servers find out only now that the disk is full.
      const closed = await Promise.allSettled([this.ask((done) => this.sftp.close(handle, done))]);
      for (const result of [...results, ...closed]) if (result.status === 'rejected') throw result.reason;
    });
  }

  /** The file's content; undefined where there is none. */
  async read(path: string): Promise<Buffer | undefined> {
    return this.try(`reading ${path}`, () =>
      orUndefined(this.ask<Buffer>((done) => this.sftp.readFile(path, done))),
    );
  }

  /** Bytes of the file; undefined where there is none. */
  async sizeOf(path: string): Promise<number | undefined> {
    return this.try(`looking at ${path}`, async () => (await this.statOf(path))?.size);
  }

  async truncate(path: string, sizeBytes: number): Promise<void> {
    await this.try(`shortening ${path}`, () =>
      this.ask((done) => this.sftp.setstat(path, { size: sizeBytes }, done)),
    );
  }

  /**
   * Gives the file the name `to`, in the place of what has it. In one step where the server can; else what
   * has the name goes first, and there is a moment with neither.
   */
  async move(from: string, to: string): Promise<void> {
    await this.try(`renaming ${from} to ${to}`, async () => {
      if (await this.replaced(from, to)) return;
      await this.remove(to);
      await this.ask((done) => this.sftp.rename(from, to, done));
    });
  }

  /** Deletes the file, if it is there. */
  async delete(path: string): Promise<void> {
    await this.try(`deleting ${path}`, () => this.remove(path));
  }

  private async makeFolder(folder: string): Promise<void> {
    if (folder === '.' || folder === '/') return;
    if ((await this.statOf(folder))?.isDirectory()) return;
    await this.makeFolder(posix.dirname(folder));
    try {
      await this.ask((done) => this.sftp.mkdir(folder, done));
    } catch (error) {
      // Another delivery may have made it meanwhile.
      if ((await this.statOf(folder))?.isDirectory()) return;
      throw statusOf(error) === STATUS.FAILURE ? new FolderError(folder) : error;
    }
  }

  private async writeAll(handle: Buffer, body: Buffer, offset: number, chunks: Iterator<number>) {
    for (let next = chunks.next(); next.done !== true; next = chunks.next()) {
      const start = next.value;
      const length = Math.min(CHUNK_BYTES, body.byteLength - start);
      await this.ask((done) => this.sftp.write(handle, body, start, length, offset + start, done));
    }
  }

  /** Renames over what is there; false where the server cannot. */
  private async replaced(from: string, to: string): Promise<boolean> {
    try {
      await this.ask((done) => this.sftp.ext_openssh_rename(from, to, done));
      return true;
    } catch (error) {
      if (isNativeError(error) && error.message.includes(NO_EXTENSION)) return false;
      throw error;
    }
  }

  private async remove(path: string): Promise<void> {
    await orUndefined(this.ask((done) => this.sftp.unlink(path, done)));
  }

  private statOf(path: string): Promise<Stats | undefined> {
    return orUndefined(this.ask<Stats>((done) => this.sftp.stat(path, done)));
  }

  private ask<T = void>(request: (done: Answer<T>) => void): Promise<T> {
    const answered = new Promise<T>((resolve, reject) => {
      request((error, value) => (error ? reject(error) : resolve(value)));
    });
    return Promise.race([answered, this.lost]);
  }

  private async try<T>(step: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw sftpFaultOf(error, this.host, step);
    }
  }
}

/** A folder that cannot be made because something else has its name. */
class FolderError extends Error {
  readonly code = STATUS.NO_SUCH_FILE;
}

function* chunksOf(body: Buffer): Generator<number, void> {
  for (let start = 0; start < body.byteLength; start += CHUNK_BYTES) yield start;
}

async function orUndefined<T>(asked: Promise<T>): Promise<T | undefined> {
  try {
    return await asked;
  } catch (error) {
    if (statusOf(error) === STATUS.NO_SUCH_FILE) return undefined;
    throw error;
  }
}

function statusOf(error: unknown): unknown {
  return isNativeError(error) && 'code' in error ? error.code : undefined;
}
