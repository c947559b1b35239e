import type { LinkSigner } from '../../../platform/crypto/index.js';
import type { Config } from '../../../platform/env/index.js';
import type { Post } from '../../outbox/index.js';
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

/** The mail that tells of a ready archive. */
export function readyNotice(
  row: ExportRow,
  recipient: string,
  archive: { link: string; archiveName: string; expiresAt: Date },
): Post {
  return {
    workspaceId: row.workspaceId,
    onceKey: `export-ready:${row.id}`,
    recipients: [recipient],
    subject: `Your audience download is ready: ${archive.archiveName}`,
    body: [
      'The audience download you asked for is ready:',
      '',
      archive.link,
      '',
      `The link works until ${archive.expiresAt.toISOString()}. Whoever has it can read the file; do not pass it on.`,
    ].join('\n'),
  };
}
