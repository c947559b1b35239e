import { and, eq, inArray, ne, sql } from 'drizzle-orm';
import {
  imports,
  uploads,
  type Database,
  type ImportState,
  type Transaction,
} from '../../platform/database/index.js';
import type { Leases } from '../../platform/lease/index.js';

export type UploadRow = typeof uploads.$inferSelect;

/** Where the bytes of an upload are in the file store. */
export const uploadKey = (id: string): string => `${UPLOADS}${id}`;
export const UPLOADS = 'uploads/';

/** What is known of an upload before its first byte. */
export interface NewUpload {
  workspaceId: string;
  inputId: string;
  audienceName?: string;
  declaredBytes?: number;
  requestId?: string;
}

const OPEN = ['receiving', 'stored'] as const;

/** The rows behind uploads. */
export class UploadRecords {
  constructor(
    private readonly db: Database,
    private readonly leases: Leases,
  ) {}

  /**
   * The row of a new upload, or the one that already took the same request. One that never came to its end
   * gives its request id away: what it may still do is the same import.
   */
  async begin(given: NewUpload): Promise<{ row: UploadRow; repeated: boolean }> {
    for (;;) {
      const [made] = await this.db
        .insert(uploads)
        .values({ ...given, expiresAt: this.leases.until() })
        .onConflictDoNothing({ target: [uploads.inputId, uploads.requestId] })
        .returning();
      if (made !== undefined) return { row: made, repeated: false };
      const same = and(eq(uploads.inputId, given.inputId), eq(uploads.requestId, given.requestId ?? ''));
      await this.db
        .update(uploads)
        .set({ requestId: null })
        .where(and(same, ne(uploads.state, 'taken')));
      const [taken] = await this.db.select().from(uploads).where(same);
      if (taken !== undefined) return { row: taken, repeated: true };
    }
  }

  /**
   * Gives an upload the sender and the request id that were proven by its whole body. Returns the upload that
   * took the same request before, where there is one.
   */
  async claim(
    id: string,
    sender: { inputId: string; workspaceId: string; requestId?: string },
  ): Promise<UploadRow | undefined> {
    const { inputId, workspaceId, requestId } = sender;
    return this.db.transaction(async (tx) => {
      if (requestId !== undefined) {
        const same = and(eq(uploads.inputId, inputId), eq(uploads.requestId, requestId), ne(uploads.id, id));
        const [taken] = await tx
          .select()
          .from(uploads)
          .where(and(same, eq(uploads.state, 'taken')));
        if (taken !== undefined) return taken;
        await tx.update(uploads).set({ requestId: null }).where(same);
      }
      await tx
        .update(uploads)
        .set({ inputId, workspaceId, requestId: requestId ?? null })
        .where(eq(uploads.id, id));
      return undefined;
    });
  }

  /** Takes the row of somebody away who could not say who he is. */
  async forget(id: string): Promise<void> {
    await this.db.delete(uploads).where(and(eq(uploads.id, id), inArray(uploads.state, [...OPEN])));
  }

  /** Says that somebody is at it, and how far. False where the upload is no longer open. */
  async progress(id: string, receivedBytes: number): Promise<boolean> {
    const kept = await this.db
      .update(uploads)
      .set({ receivedBytes, updatedAt: sql`now()`, expiresAt: this.leases.until() })
      .where(and(eq(uploads.id, id), inArray(uploads.state, [...OPEN])))
      .returning({ id: uploads.id });
    return kept.length === 1;
  }

  /** False where it was given up meanwhile. */
  async stored(id: string, file: { sizeBytes: number; sha256: string }): Promise<boolean> {
    const kept = await this.db
      .update(uploads)
      .set({ state: 'stored', receivedBytes: file.sizeBytes, sha256: file.sha256, updatedAt: sql`now()` })
      .where(and(eq(uploads.id, id), eq(uploads.state, 'receiving')))
      .returning({ id: uploads.id });
    return kept.length === 1;
  }

  /** The upload, locked, if its bytes are there and nobody took them yet. */
  async lockStored(tx: Transaction, id: string): Promise<UploadRow | undefined> {
    const [row] = await tx
      .select()
      .from(uploads)
      .where(and(eq(uploads.id, id), eq(uploads.state, 'stored')))
      .for('update');
    return row;
  }

  async taken(
    tx: Transaction,
    id: string,
    set: { importId: string; workspaceId: string; audienceName: string },
  ): Promise<void> {
    await tx
      .update(uploads)
      .set({ ...set, state: 'taken', updatedAt: sql`now()` })
      .where(eq(uploads.id, id));
  }

  async stateOfImport(importId: string): Promise<ImportState | undefined> {
    const [row] = await this.db
      .select({ state: imports.state })
      .from(imports)
      .where(eq(imports.id, importId));
    return row?.state;
  }

  /** Ends an open upload without an import; false where it is not open any longer. */
  async refuse(
    id: string,
    error: { code: string; message: string },
    set: { audienceName?: string } = {},
  ): Promise<boolean> {
    const ended = await this.db
      .update(uploads)
      .set({ ...set, error, state: 'refused', requestId: null, updatedAt: sql`now()` })
      .where(and(eq(uploads.id, id), inArray(uploads.state, [...OPEN])))
      .returning({ id: uploads.id });
    return ended.length === 1;
  }
}
