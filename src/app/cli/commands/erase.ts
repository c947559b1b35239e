import { setTimeout as sleep } from 'node:timers/promises';
import { CliError, EXIT, type ExitCode } from '../cli-error.js';
import { chooseWorkspace } from '../workspace-choice.js';
import type { Session } from './command.js';

export interface EraseOptions {
  workspace: string;
  /** `type=value`. */
  identity?: string[];
  layout?: string;
}

interface Receipt {
  output: string;
  audienceId: number;
  state: 'waiting' | 'answered' | 'not_sent' | 'waived' | 'gone';
  reason: { code: string; message: string } | null;
  sent: number | null;
  accepted: number | null;
  rejected: number | null;
}

interface Erasure {
  id: string;
  kind: 'suppress' | 'erase';
  state: 'queued' | 'running' | 'waiting' | 'done' | 'failed';
  given: number;
  rejectedByReason: Record<string, number>;
  profiles: number | null;
  audiences: number;
  error: { code: string; message: string } | null;
  receipts: Receipt[];
}

const LOOK_EVERY_MS = 300;
/** Looks at one that only waits for partners before it is left to itself. */
const PATIENCE = 20;

/**
 * `hub erase` and `hub suppress`: sends who it is about, waits, and says what every connection did. One that waits for a
 * paused or faulted partner goes on by itself: the command ends, and says for whom.
 */
export async function leave(
  session: Session,
  path: '/erasures' | '/suppressions',
  file: string | undefined,
  options: EraseOptions,
): Promise<ExitCode> {
  const { client, screen } = session;
  const identities = (options.identity ?? []).map(identityOf);
  if ((file === undefined) === (identities.length === 0)) {
    throw new CliError('Give a file, or --identity type=value, and not both.', EXIT.usage);
  }
  const { id: workspaceId } = await chooseWorkspace(client, options.workspace);
  const begun =
    file === undefined
      ? await client.post<Erasure>(path, { workspaceId, identities })
      : await sendFile(session, `${path}/file`, { workspaceId, layout: options.layout }, file);
  const ended = await end(session, begun.id);
  screen.result(ended, account(ended));
  const refused = ended.receipts.some(({ rejected }) => (rejected ?? 0) > 0);
  return ended.state === 'done' && !refused ? EXIT.done : EXIT.bad;
}

async function sendFile(
  { client, screen }: Session,
  path: string,
  query: Record<string, string | undefined>,
  file: string,
): Promise<Erasure> {
  const progress = screen.progress();
  return client
    .upload<Erasure>(path, query, file, (done, total) => progress.at(done, total, 'sending the file'))
    .finally(() => progress.end());
}

async function end({ client }: Session, id: string): Promise<Erasure> {
  for (let waits = 0; ;) {
    const row = await client.get<Erasure>(`/erasures/${id}`);
    if (row.state === 'done' || row.state === 'failed') return row;
    if (row.state === 'waiting' && (waits += 1) > PATIENCE) return row;
    await sleep(LOOK_EVERY_MS);
  }
}

function account(row: Erasure): string[] {
  const what = row.kind === 'erase' ? 'Erasure' : 'Suppression';
  return [
    `${what} ${row.id}: ${row.state}.`,
    `${row.given} given, ${row.profiles ?? 0} profiles found, out of ${row.audiences} audiences.`,
    ...Object.entries(row.rejectedByReason).map(([code, rows]) => `  ${rows} rows name nobody: ${code}`),
    ...row.receipts.map(receiptLine),
    ...(row.error ? [`${row.error.code}: ${row.error.message}`] : []),
    ...(row.state === 'waiting'
      ? [`It goes on by itself. GET /erasures/${row.id} shows how far it is.`]
      : []),
  ];
}

function receiptLine({ output, audienceId, state, reason, sent, accepted, rejected }: Receipt): string {
  const counts = sent === null ? '' : `, ${sent} removed: ${accepted} accepted, ${rejected} rejected`;
  const why = reason === null ? '' : ` (${reason.code}: ${reason.message})`;
  return `  ${output}, audience ${audienceId}: ${state}${counts}${why}`;
}

function identityOf(text: string): { type: string; value: string } {
  const at = text.indexOf('=');
  if (at > 0) return { type: text.slice(0, at), value: text.slice(at + 1) };
  throw new CliError('--identity is type=value, such as email=name@example.com.', EXIT.usage);
}
