import type { LinkSigner } from '../../../platform/crypto/index.js';
import type { Config } from '../../../platform/env/index.js';
import type { Notice } from '../../notices/index.js';
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

/** What tells of a ready archive. */
export function readyNotice(
  row: ExportRow,
  recipient: string,
  archive: { link: string; archiveName: string; expiresAt: Date },
): Notice {
  const { link, archiveName, expiresAt } = archive;
  return {
    workspaceId: row.workspaceId,
    kind: 'export_ready',
    onceKey: `export:${row.id}#ready`,
    recipients: [recipient],
    content: {
      headline: `Your audience download is ready: ${archiveName}`,
      message: 'The audience download you asked for is ready.',
      facts: [
        ['Archive', archiveName],
        ['Works until', expiresAt.toISOString()],
      ],
      next: [link, 'Whoever has the link can read the file; do not pass it on.'],
      line: `${archiveName}: ${link} (until ${expiresAt.toISOString()})`,
    },
  };
}
