import { and, asc, eq, inArray, isNotNull, sql } from 'drizzle-orm';
import { uploadParts, uploads, type Database, type RecordCount } from '../../../platform/database/index.js';
import type { UploadRow } from '../upload-records.js';

/** For so long an upload waits for its sender to go on. */
export const RESUMABLE_FOR_MS = 24 * 60 * 60 * 1000;

/** Where the bytes of a piece are in the file store. */
export const PIECES = 'upload-parts/';
export const pieceKey = (uploadId: string, fileId: string): string => `${PIECES}${uploadId}/${fileId}`;

/** A file that will come in pieces. */
export interface NewResumable {
  id: string;
  workspaceId: string;
  inputId: string;
  audienceName: string;
  /** Undefined: said later. */
  declaredBytes: number | undefined;
  metadata: Record<string, string | null>;
}

const until = () => sql`now() + ${`${RESUMABLE_FOR_MS} milliseconds`}::interval`;

/** The rows behind resumable uploads. */
export class ResumableRecords {
  constructor(private readonly db: Database) {}

  async create({ declaredBytes, ...given }: NewResumable): Promise<void> {
    await this.db
      .insert(uploads)
      .values({ ...given, declaredBytes: declaredBytes ?? null, expiresAt: until() });
  }

  async find(id: string): Promise<UploadRow | undefined> {
    const [row] = await this.db
      .select()
      .from(uploads)
      .where(and(eq(uploads.id, id), isNotNull(uploads.metadata)));
    return row;
  }

  /** Counts a piece that is in the file store; false where the upload is at another place by now, or ended. */
  async addPiece(
    id: string,
    piece: { offsetBytes: number; sizeBytes: number; fileId: string },
    counted: RecordCount,
  ): Promise<boolean> {
    return this.db.transaction(async (tx) => {
      const receivedBytes = piece.offsetBytes + piece.sizeBytes;
      const moved = await tx
        .update(uploads)
        .set({ receivedBytes, counted, updatedAt: sql`now()`, expiresAt: until() })
        .where(
          and(
            eq(uploads.id, id),
            eq(uploads.state, 'receiving'),
            eq(uploads.receivedBytes, piece.offsetBytes),
          ),
        )
        .returning({ id: uploads.id });
      if (moved.length === 0) return false;
      await tx.insert(uploadParts).values({ uploadId: id, ...piece });
      return true;
    });
  }

  /** Says how long the file is, once; false where that was said, or it has ended. */
  async declare(id: string, declaredBytes: number): Promise<boolean> {
    const set = await this.db
      .update(uploads)
      .set({ declaredBytes, updatedAt: sql`now()`, expiresAt: until() })
      .where(and(eq(uploads.id, id), eq(uploads.state, 'receiving'), sql`${uploads.declaredBytes} is null`))
      .returning({ id: uploads.id });
    return set.length === 1;
  }

  /** Keys of the pieces in the file store, in their order. */
  async pieceKeys(id: string): Promise<string[]> {
    const rows = await this.db
      .select()
      .from(uploadParts)
      .where(eq(uploadParts.uploadId, id))
      .orderBy(asc(uploadParts.offsetBytes));
    return rows.map(({ fileId }) => pieceKey(id, fileId));
  }

  async forgetPieces(id: string): Promise<void> {
    await this.db.delete(uploadParts).where(eq(uploadParts.uploadId, id));
  }

  /** Ends the dry run of a file. */
  async checked(id: string, report: object): Promise<void> {
    await this.db
      .update(uploads)
      .set({ state: 'checked', report: { ...report }, updatedAt: sql`now()` })
      .where(and(eq(uploads.id, id), eq(uploads.state, 'stored')));
  }

  /** Uploads whose bytes are all there and that are not at their end: who was at them may be dead. */
  async unfinished(limit: number): Promise<string[]> {
    const rows = await this.db
      .select({ id: uploads.id })
      .from(uploads)
      .where(
        and(
          isNotNull(uploads.metadata),
          inArray(uploads.state, ['receiving', 'stored']),
          eq(uploads.receivedBytes, uploads.declaredBytes),
        ),
      )
      .orderBy(asc(uploads.updatedAt))
      .limit(limit);
    return rows.map(({ id }) => id);
  }

  /** Of these uploads, those whose pieces are still needed. */
  async open(ids: readonly string[]): Promise<Set<string>> {
    const rows = await this.db
      .select({ id: uploads.id })
      .from(uploads)
      .where(and(inArray(uploads.id, [...ids]), eq(uploads.state, 'receiving')));
    return new Set(rows.map(({ id }) => id));
  }
}
