import { Injectable } from '@nestjs/common';
import { eq } from 'drizzle-orm';
import { HubError, notFound } from '../../../domain/errors/index.js';
import { actAs, recordAudit } from '../../../platform/audit/index.js';
import type { Clock } from '../../../platform/clock/index.js';
import { LinkSigner, type LinkSignature } from '../../../platform/crypto/index.js';
import { exportsTable, type Database } from '../../../platform/database/index.js';
import { FileMissingError, type FileStore } from '../../../platform/files/index.js';
import { InjectClock, InjectDatabase, InjectFiles } from '../../../platform/nest/index.js';
import { KeyAuthenticator, reaches } from '../../tenancy/index.js';
import { ExportsService } from '../exports.service.js';
import { downloadPath } from '../runner/export-notice.js';
import type { ExportRow } from '../runner/export-plan.js';

/** An archive that may be sent. */
export interface Archive {
  fileKey: string;
  fileName: string;
  sizeBytes: number;
}

/** How somebody asks for an archive: with an API key of an editor, or with a signed link. */
export interface DownloadClaim extends Partial<LinkSignature> {
  authorization?: string;
}

/** Decides who gets an archive. */
@Injectable()
export class DownloadService {
  constructor(
    @InjectDatabase() private readonly db: Database,
    @InjectFiles() readonly files: FileStore,
    @InjectClock() private readonly clock: Clock,
    private readonly signer: LinkSigner,
    private readonly keys: KeyAuthenticator,
    private readonly exports: ExportsService,
  ) {}

  /**
   * The archive, or why not: UNAUTHENTICATED without key and signature, FORBIDDEN for a forged link or a
   * viewer's key, NOT_FOUND, WRONG_STATE while it is being made, GONE when link or archive expired.
   */
  async open(id: string, claim: DownloadClaim): Promise<Archive> {
    const row = claim.signature === undefined ? await this.byKey(id, claim) : await this.byLink(id, claim);
    const state = this.exports.stateOf(row);
    if (state === 'expired') throw expired();
    if (state !== 'ready' || row.fileKey === null) {
      throw new HubError('WRONG_STATE', `The export is ${state}. There is an archive when it is ready.`);
    }
    const found = await this.files.stat(row.fileKey);
    if (!found) throw gone();
    const { workspaceId } = row;
    await recordAudit(this.db, { action: 'export.download', object: { type: 'export', id }, workspaceId });
    return { fileKey: row.fileKey, fileName: row.archiveName ?? `${row.id}.zip`, sizeBytes: found.sizeBytes };
  }

  private async byKey(id: string, claim: DownloadClaim): Promise<ExportRow> {
    const principal = await this.keys.authenticate(claim.authorization);
    if (!reaches(principal.role, 'editor')) {
      throw new HubError('FORBIDDEN', 'An archive holds personal data: its download needs the role editor.');
    }
    return this.exports.require(principal, id);
  }

  private async byLink(id: string, claim: DownloadClaim): Promise<ExportRow> {
    const verdict = this.signer.verify(downloadPath(id), claim, this.clock.now());
    if (verdict === 'forged') {
      throw new HubError(
        'FORBIDDEN',
        'The link is not one of this hub. Copy it whole, or ask for a new export.',
      );
    }
    if (verdict === 'expired') throw expired();
    actAs({ kind: 'link' });
    const [row] = await this.db.select().from(exportsTable).where(eq(exportsTable.id, id));
    if (!row) throw notFound('export', id);
    return row;
  }
}

/** What to answer where the file vanished between looking and reading. */
export function asGone(error: unknown): unknown {
  return error instanceof FileMissingError ? gone() : error;
}

function expired(): HubError {
  return new HubError('GONE', 'The download has expired. Ask for a new export.');
}

function gone(): HubError {
  return new HubError('GONE', 'The archive is not kept any longer. Ask for a new export.');
}
