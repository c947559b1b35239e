import { mkdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { folderDrop, type InputParts } from '../process/tenant.js';
import type { Way } from './way.js';

/** A folder in which files are dropped. */
export class FolderWay implements Way {
  private back: (() => Promise<void>) | undefined;

  private constructor(
    private readonly folder: string,
    readonly input: InputParts,
  ) {}

  static async open(folder: string): Promise<FolderWay> {
    await mkdir(folder, { recursive: true });
    return new FolderWay(folder, folderDrop(folder, 'repro'));
  }

  async offer(file: string): Promise<void> {
    const dropped = join(this.folder, 'audience.csv');
    await rename(file, dropped);
    this.back = () => rename(dropped, file);
  }

  async takeBack(): Promise<void> {
    await this.back?.();
    this.back = undefined;
  }

  async close(): Promise<void> {
    await this.takeBack();
  }
}
