import type { InputParts } from '../process/tenant.js';
import { FolderWay } from './folder-way.js';
import { S3Way } from './s3-way.js';

/** The ways that are measured. */
export type WayName = 'folder' | 's3';

/** How a file comes to the hub. One file at a time. */
export interface Way {
  /** The input that takes it. */
  readonly input: InputParts;
  /** Puts the file where the input finds it, as the one file there. */
  offer(file: string): Promise<void>;
  /** Leaves nothing there; the file is where it was before. */
  takeBack(): Promise<void>;
  close(): Promise<void>;
}

/** Opens a way; `folder` is for what it keeps, and need not be there. */
export async function openWay(name: WayName, folder: string): Promise<Way> {
  return name === 'folder' ? FolderWay.open(folder) : S3Way.open();
}
