import type { LinkSigner } from '../../../platform/crypto/index.js';
import { outbox, type Transaction } from '../../../platform/database/index.js';
import type { Config } from '../../../platform/env/index.js';
import type { ExportRow } from './export-plan.js';

/** The path that a link of this export is signed for. */
export function downloadPath(exportId: string): string {
  return `/api/v1/exports/${exportId}/download`;
}

/** The link that opens the archive without an API key until `expiresAt`. */
export function downloadLink(
  config: Pick<Config, 'publicUrl'>,
  signer: LinkSigner,
  exportId: string,
  expiresAt: Date,
): string {
  const path = downloadPath(exportId);
  const query = new URLSearchParams({ ...signer.sign(path, expiresAt) });
  return `${config.publicUrl}${path}?${query.toString()}`;
}

/**
 * Puts the mail with the link into the outbox, in the transaction that makes the export ready: there is a
 * mail exactly where there is an archive.
 */
export async function postNotice(
  tx: Transaction,
  row: ExportRow,
  mail: { link: string; archiveName: string; expiresAt: Date; canSend: boolean },
): Promise<void> {
  if (!row.notifyEmail) return;
  await tx
    .insert(outbox)
    .values({
      workspaceId: row.workspaceId,
      onceKey: `export-ready:${row.id}`,
      recipient: row.notifyEmail,
      subject: `Your audience download is ready: ${mail.archiveName}`,
      body: [
        'The audience download you asked for is ready:',
        '',
        mail.link,
        '',
        `The link works until ${mail.expiresAt.toISOString()}. Whoever has it can read the file; do not pass it on.`,
      ].join('\n'),
      state: mail.canSend ? 'waiting' : 'kept',
    })
    .onConflictDoNothing();
}
