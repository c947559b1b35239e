import { setTimeout as sleep } from 'node:timers/promises';
import type { Waterfall } from '../../../domain/imports/index.js';
import { IMPORT_STEPS } from '../../../platform/database/index.js';
import { EXIT, type ExitCode } from '../cli-error.js';
import { chooseWorkspace } from '../workspace-choice.js';
import type { HubClient } from '../hub-client.js';
import type { Session } from './command.js';
import { chooseInput, dropFile, type Layout } from './drop-file.js';
import type { Scan } from './scan.js';

export interface ImportOptions {
  workspace: string;
  layout: Layout;
  name?: string;
  input?: string;
  folder?: string;
}

interface Import {
  id: string;
  audienceId: number | null;
  audienceName: string;
  sourceKey: string;
  state: 'queued' | 'running' | 'held' | 'published' | 'unchanged' | 'failed' | 'discarded';
  step: (typeof IMPORT_STEPS)[number];
  rows: (Record<Count, number> & { rejectedByReason: Record<string, number> }) | null;
  waterfall: Waterfall | null;
  added: number | null;
  removed: number | null;
  version: number | null;
  error: { code: string; message: string } | null;
  warnings: { code: string; message: string }[];
  createdAt: string;
}

interface RowProblem {
  row: number | null;
  column: string | null;
  code: string;
  message: string;
}

const COUNTS = ['read', 'accepted', 'rejected', 'matched', 'created', 'unknown', 'duplicate'] as const;
type Count = (typeof COUNTS)[number];

const LOOK_EVERY_MS = 300;
/** Rows that are wrong and shown; the API has the rest. */
const SHOWN_PROBLEMS = 10;

/** `hub import FILE`: puts the file into a drop, has it scanned, waits and gives the account of its rows. */
export async function importFile(session: Session, file: string, options: ImportOptions): Promise<ExitCode> {
  const { client, screen } = session;
  const { layout } = options;
  const workspace = await chooseWorkspace(client, options.workspace);
  const input = await chooseInput(client, workspace, layout, options);
  const before = await newestImport(client, input.id);
  const key = await dropFile(file, options.name, { input, layout, workspace });
  screen.note(`${file} is in ${input.name} as ${key}.`);
  const scan = await client.post<Scan>(`/inputs/${input.id}/scan`);
  const begun = await findImport(client, input.id, key, { scan, before });
  const ended = await end(session, begun);
  const isBad = ended.state === 'failed' || ended.state === 'held' || ended.state === 'discarded';
  const problems = isBad || (ended.rows?.rejected ?? 0) > 0 ? await problemsOf(client, ended.id) : [];
  screen.result({ ...ended, problems }, [...account(ended), ...problems.map(problemLine)]);
  return isBad ? EXIT.bad : EXIT.done;
}

async function newestImport(client: HubClient, inputId: string): Promise<string | undefined> {
  const { items } = await client.get<{ items: Import[] }>('/imports', { inputId, pageSize: 1 });
  return items[0]?.id;
}

/** The import of the file: among those this scan made, or made by a scan of the hub that came first. */
async function findImport(
  client: HubClient,
  inputId: string,
  key: string,
  { scan, before }: { scan: Scan; before: string | undefined },
): Promise<Import> {
  for (const id of [...scan.queued, ...scan.refused]) {
    const row = await client.get<Import>(`/imports/${id}`);
    if (row.sourceKey === key) return row;
  }
  for await (const row of client.all<Import>('/imports', { inputId })) {
    if (row.id === before) break;
    if (row.sourceKey === key) return row;
  }
  // The scan of the hub that runs at this moment will list it; the file is in its place.
  await sleep(LOOK_EVERY_MS);
  const again = await client.post<Scan>(`/inputs/${inputId}/scan`);
  return findImport(client, inputId, key, { scan: again, before });
}

async function end({ client, screen }: Session, begun: Import): Promise<Import> {
  const progress = screen.progress();
  try {
    for (let row = begun; ; row = await client.get<Import>(`/imports/${begun.id}`)) {
      if (row.state !== 'queued' && row.state !== 'running') return row;
      const step = row.state === 'queued' ? 0 : IMPORT_STEPS.indexOf(row.step) + 1;
      progress.at(
        step,
        IMPORT_STEPS.length + 1,
        row.state === 'queued' ? 'waiting for its turn' : `step ${row.step}`,
      );
      await sleep(LOOK_EVERY_MS);
    }
  } finally {
    progress.end();
  }
}

async function problemsOf(client: HubClient, importId: string): Promise<RowProblem[]> {
  const path = `/imports/${importId}/errors`;
  return (await client.get<{ items: RowProblem[] }>(path, { pageSize: SHOWN_PROBLEMS })).items;
}

function account(row: Import): string[] {
  const { rows } = row;
  const head = `Import ${row.id} of ${row.audienceName}: ${row.state}`;
  const version = row.version === null ? '' : `, audience ${row.audienceId} at version ${row.version}`;
  const reasons = Object.entries(rows?.rejectedByReason ?? {}).map(
    ([code, count]) => `  ${count} rejected: ${code}`,
  );
  return [
    `${head}${version}.`,
    ...(rows ? [`Rows: ${COUNTS.map((count) => `${rows[count]} ${count}`).join(', ')}.`] : []),
    ...reasons,
    ...(row.waterfall ? waterfallLines(row.waterfall) : []),
    ...(row.added === null ? [] : [`Members: ${row.added} added, ${row.removed ?? 0} removed.`]),
    ...(row.error ? [`${row.error.code}: ${row.error.message}`] : []),
    ...row.warnings.map(({ code, message }) => `Warning ${code}: ${message}`),
  ];
}

/** The waterfall from top to bottom, a level a line. */
function waterfallLines(levels: Waterfall): string[] {
  const keys = Object.entries(levels.matchedBy).map(([type, rows]) => `${type} ${rows}`);
  const rate = levels.matchRate === null ? '' : ` (match rate ${(levels.matchRate * 100).toFixed(1)} %)`;
  return [
    `Waterfall: ${levels.rows} rows = ${levels.rejected} rejected + ${levels.valid} valid`,
    `  valid = ${levels.matched} matched${rate} + ${levels.new} new + ${levels.unknown} unknown`,
    ...(keys.length === 0 ? [] : [`  matched by ${keys.join(', ')}`]),
    `  matched + new = ${levels.members} members + ${levels.duplicates} duplicates`,
    `  members = ${levels.knownProfiles} known profiles + ${levels.newProfiles} new profiles`,
  ];
}

function problemLine({ row, column, code, message }: RowProblem): string {
  const place = [row === null ? 'file' : `row ${row}`, ...(column === null ? [] : [`column ${column}`])];
  return `  ${place.join(', ')}: ${code}: ${message}`;
}
