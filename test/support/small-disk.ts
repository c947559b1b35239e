import { execFile } from 'node:child_process';
import { mkdtemp, rmdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** A file system of its own that is soon full. */
export interface SmallDisk {
  path: string;
  /** Gives it another size, whatever is on it. */
  grow(sizeBytes: number): Promise<void>;
  remove(): Promise<void>;
}

/** Mounts an empty file system of `sizeBytes`; undefined where this user or this system cannot. */
export async function mountSmallDisk(sizeBytes: number): Promise<SmallDisk | undefined> {
  const path = await mkdtemp(join(tmpdir(), 'hub-disk-'));
  try {
    await run('mount', ['-t', 'tmpfs', '-o', `size=${sizeBytes}`, 'tmpfs', path]);
  } catch {
    await rmdir(path);
    process.stderr.write(
      '\nLEFT OUT: the tests with a full disk need the right to mount one (root on Linux).\n\n',
    );
    return undefined;
  }
  const grow = async (bytes: number) => {
    await run('mount', ['-o', `remount,size=${bytes}`, path]);
  };
  const remove = async () => {
    await run('umount', ['-l', path]);
    await rmdir(path);
  };
  return { path, grow, remove };
}
