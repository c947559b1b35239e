import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';

const ID_LENGTH = 36;

/** Folders in the data directory that hold the parts of an archive while it is made. */
export class ScratchFolders {
  private readonly root: string;

  constructor(dataDir: string) {
    this.root = join(dataDir, 'scratch', 'exports');
  }

  /** Runs `work` with an empty folder that is gone afterwards. */
  async using<T>(exportId: string, work: (folder: string) => Promise<T>): Promise<T> {
    await mkdir(this.root, { recursive: true, mode: 0o700 });
    const folder = await mkdtemp(join(this.root, `${exportId}-`));
    try {
      return await work(folder);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }

  /** Ids of the exports that have folders here: of work under way, and of processes that died. */
  async exportIds(): Promise<string[]> {
    return [...new Set((await this.folders()).map((name) => name.slice(0, ID_LENGTH)))];
  }

  /** Deletes what was left of these exports. */
  async remove(exportIds: readonly string[]): Promise<void> {
    const gone = new Set(exportIds);
    const folders = (await this.folders()).filter((name) => gone.has(name.slice(0, ID_LENGTH)));
    for (const name of folders) await rm(join(this.root, name), { recursive: true, force: true });
  }

  private async folders(): Promise<string[]> {
    try {
      return await readdir(this.root);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
      throw error;
    }
  }
}
