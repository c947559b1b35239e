import { setTimeout as sleep } from 'node:timers/promises';
import { CliError, EXIT, type ExitCode } from '../cli-error.js';
import { audienceIdOf, type Session } from './command.js';

export interface ExportOptions {
  identityTypes: string;
  out: string;
  neutraliseFormulas?: boolean;
}

interface Export {
  id: string;
  state: 'queued' | 'running' | 'ready' | 'failed' | 'expired';
  archiveName: string | null;
  sizeBytes: number | null;
  manifest: { total_rows?: number } | null;
  error: { code: string; message: string } | null;
}

const LOOK_EVERY_MS = 300;

/** `hub export AUDIENCE…`: asks for the archive, waits for it and fetches it. */
export async function exportAudiences(
  session: Session,
  audiences: string[],
  options: ExportOptions,
): Promise<ExitCode> {
  const { client, screen } = session;
  const asked = await client.post<Export>('/exports', {
    audienceIds: audiences.map(audienceIdOf),
    identityTypes: options.identityTypes.split(',').map((type) => type.trim()),
    ...(options.neutraliseFormulas ? { neutraliseFormulas: true } : {}),
  });
  const made = await ready(session, asked);
  const progress = screen.progress();
  const path = `/exports/${made.id}/download`;
  await client
    .download(path, options.out, (done, total) => progress.at(done, total ?? done, 'fetching the archive'))
    .finally(() => progress.end());
  const rows = made.manifest?.total_rows;
  screen.result({ ...made, file: options.out }, [
    `${options.out}: ${made.archiveName ?? 'the archive'}, ${rows ?? 'some'} rows, ${made.sizeBytes ?? 0} bytes.`,
  ]);
  return EXIT.done;
}

async function ready({ client, screen }: Session, asked: Export): Promise<Export> {
  const progress = screen.progress();
  try {
    for (let row = asked; ; row = await client.get<Export>(`/exports/${asked.id}`)) {
      if (row.state === 'ready') return row;
      if (row.state === 'failed' || row.state === 'expired') {
        const message = row.error?.message ?? 'The hub gave no reason.';
        throw new CliError(`Export ${row.id} is ${row.state}. ${message}`, EXIT.bad, row.error?.code);
      }
      progress.at(row.state === 'queued' ? 0 : 1, 2, `export ${row.state}`);
      await sleep(LOOK_EVERY_MS);
    }
  } finally {
    progress.end();
  }
}
