import { rm } from 'node:fs/promises';
import type { FileStore } from '../../../platform/files/index.js';
import type { Logger } from '../../../platform/log/index.js';
import type { Warehouse } from '../../../platform/warehouse/index.js';
import { dropWorkTables } from '../sql/tables.js';
import type { EndState, ImportListener } from './import-listener.js';
import type { ImportWork } from './import-work.js';

export interface EndParts {
  warehouse: Warehouse;
  files: FileStore;
  log: Logger;
  listener: ImportListener;
}

/** Brings imports to their end. */
export class ImportEnds {
  constructor(private readonly parts: EndParts) {}

  /** Ends the import's row by `end`, then clears what only it needed. */
  async finish(work: ImportWork, state: EndState, end: () => Promise<void>): Promise<void> {
    await end();
    await this.clear(work, state);
    await this.parts.listener.ended(work, state);
  }

  /** What cannot be cleared now (on a full disk, say), or is cut off, is left to the sweep. */
  private async clear({ row, spool, source }: ImportWork, state: EndState): Promise<void> {
    try {
      // First what is sure to give space back.
      await rm(spool, { recursive: true, force: true });
      // What failed may be taken up again; the sweep of uploads knows for how long.
      if (source.pushed?.keepDays === 0 && state !== 'failed')
        await this.parts.files.delete(source.pushed.fileKey);
      await dropWorkTables(this.parts.warehouse, row.id);
    } catch (err) {
      this.parts.log.warn({ importId: row.id, err }, 'an ended import could not be cleared up yet');
    }
  }
}
