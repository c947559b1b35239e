import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { HubError } from '../../../domain/errors/index.js';

/** Dry runs of a process at once: each holds a thread, and a copy of its file on the disk. */
const MAX_AT_ONCE = 2;
const RETRY_AFTER_MS = 5000;

/** Folders in the data directory that hold files while they are looked at. */
export class DryRunScratch {
  private readonly root: string;
  private busy = 0;

  constructor(dataDir: string) {
    this.root = join(dataDir, 'scratch', 'dry-runs');
  }

  /** Deletes what a dead process left: a data directory belongs to one process. */
  async clear(): Promise<void> {
    await rm(this.root, { recursive: true, force: true });
  }

  /** Runs `work` with an empty folder that is gone afterwards. Throws TOO_MANY_REQUESTS where others are at it. */
  async using<T>(work: (folder: string) => Promise<T>): Promise<T> {
    if (this.busy >= MAX_AT_ONCE) throw tooMany();
    this.busy += 1;
    try {
      await mkdir(this.root, { recursive: true, mode: 0o700 });
      const folder = await mkdtemp(join(this.root, 'file-'));
      try {
        return await work(folder);
      } finally {
        await rm(folder, { recursive: true, force: true });
      }
    } finally {
      this.busy -= 1;
    }
  }
}

function tooMany(): HubError {
  const message = `This process looks at ${MAX_AT_ONCE} files already. Ask again in a few seconds.`;
  return Object.assign(new HubError('TOO_MANY_REQUESTS', message), { retryAfterMs: RETRY_AFTER_MS });
}
