import { mkdir, realpath } from 'node:fs/promises';
import { acquireLock, type DataDirLock } from './lock.js';

/** The data directory in use by this process. */
export interface DataDir {
  /** Absolute, with symbolic links followed. */
  path: string;
  /** Lets another process have it. What lies in it must be closed before. */
  release(): Promise<void>;
}

/** The data directory cannot be made or written to. */
export class DataDirUnusableError extends Error {
  override readonly name = 'DataDirUnusableError';
}

const REASONS: Readonly<Record<string, string>> = {
  EACCES: 'this user may not write there',
  EEXIST: 'a file of that name is in the way',
  ENOSPC: 'there is no space left',
  ENOTDIR: 'a part of the path is a file',
  EPERM: 'this user may not write there',
  EROFS: 'its file system is read-only',
};

/**
 * Makes the data directory where there is none (readable by its owner only) and takes it for this process.
 *
 * @throws DataDirLockedError where another process has it, DataDirUnusableError with the reason.
 */
export async function openDataDir(path: string): Promise<DataDir> {
  try {
    await mkdir(path, { recursive: true, mode: 0o700 });
    const real = await realpath(path);
    const lock: DataDirLock = await acquireLock(real);
    return { path: real, release: () => lock.release() };
  } catch (error) {
    const reason = REASONS[(error as NodeJS.ErrnoException).code ?? ''];
    if (reason === undefined) throw error;
    throw new DataDirUnusableError(
      `${path} cannot hold the hub's data: ${reason}. Mend that, or set HUB_DATA.`,
      {
        cause: error,
      },
    );
  }
}
