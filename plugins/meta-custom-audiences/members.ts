import { z } from 'zod';
import { type Batch, fault, type RejectedMember } from '../../src/kit/index.js';
import { type ApiContext, call, MAX_ROWS, RawJson, read } from './api.js';
import { type MetaIdentity, type Rows, rowsOf } from './rows.js';

/** Where a request belongs in an upload of several. */
export interface Session {
  session_id: string;
  batch_seq: number;
  last_batch_flag: boolean;
  estimated_num_total?: number;
}

const received = z.object({
  num_received: z.coerce.number().int().nonnegative(),
  num_invalid_entries: z.coerce.number().int().nonnegative().default(0),
  invalid_entry_samples: z.unknown().optional(),
});

/** Shorter texts in a sample are no hashes. */
const LEAST_SAMPLE_LENGTH = 32;

const REFUSED = {
  code: 'INVALID_ENTRY',
  message: 'Meta did not take a value of the member: it is no hash that it can read.',
} as const;

/** Adds or removes everybody of a batch; whom Meta did not take. */
export async function changeUsers(
  ctx: ApiContext,
  audienceId: string,
  method: 'POST' | 'DELETE',
  batch: Batch<MetaIdentity>,
): Promise<RejectedMember[]> {
  const rejected = new Set<number>();
  for (const piece of await rowsOf(ctx.settings, batch, MAX_ROWS)) {
    const { found, invalid } = await send(ctx, method, `${audienceId}/users`, piece);
    if (found.length < invalid && batch.size > 1) {
      // The host sends halves until whoever is meant stands alone; adding and removing twice does no harm.
      throw fault.permanent('PARTLY_INVALID', 'Meta did not take some of the rows and did not say which.');
    }
    const named = found.length < invalid ? [...Array(piece.size).keys()] : found;
    for (const index of ownersOf(named, piece)) rejected.add(index);
  }
  return [...rejected].sort((one, other) => one - other).map((index) => ({ index, ...REFUSED }));
}

/** Sends one batch of a replacement; whom Meta did not take, as far as it says. */
export async function replaceUsers(
  ctx: ApiContext,
  audienceId: string,
  rows: Rows,
  session: Session,
): Promise<RejectedMember[]> {
  const { found, invalid } = await send(ctx, 'POST', `${audienceId}/usersreplace`, rows, session);
  if (found.length < invalid) {
    ctx.log.warn('Meta did not take some rows of a replacement and did not say which', {
      invalid,
      named: found.length,
    });
  }
  return ownersOf(found, rows).map((index) => ({ index, ...REFUSED }));
}

/** Rows that Meta did not take: how many, and which of them it named. */
interface Invalid {
  invalid: number;
  found: number[];
}

async function send(
  ctx: ApiContext,
  method: 'POST' | 'DELETE',
  path: string,
  piece: Rows,
  session?: Session,
): Promise<Invalid> {
  const sessionText = session === undefined ? '' : `"session":${JSON.stringify(session)},`;
  const head = `{${sessionText}"payload":{"schema":${JSON.stringify(piece.schema)},"is_raw":true,"data":`;
  piece.data.add('}');
  const sent = new RawJson(head, piece.data);
  const answer = read(await call(ctx, method, path, sent), received);
  const { num_invalid_entries: invalid, invalid_entry_samples: samples } = answer;
  return { invalid, found: invalid === 0 ? [] : rowsIn(samples, piece.size, rowTexts(sent), invalid) };
}

/**
 * The rows that the samples of invalid entries, at most a hundred, are of: those that hold every hash of a sample.
 * People share names and ZIPs, so that one of several would blame others too.
 */
function rowsIn(samples: unknown, size: number, rows: readonly string[], invalid: number): number[] {
  if (invalid >= size) return [...Array(size).keys()];
  const entries = typeof samples === 'object' && samples !== null ? Object.entries(samples) : [];
  const known = entries
    .map((entry) => textsIn(entry).filter((text) => text.length >= LEAST_SAMPLE_LENGTH))
    .filter((texts) => texts.length > 0);
  return rows.flatMap((row, index) =>
    known.some((texts) => texts.every((text) => row.includes(text))) ? [index] : [],
  );
}

/** The rows that were sent, each as its JSON. */
function rowTexts(sent: RawJson): string[] {
  return (sent.parsed() as { payload: { data: string[][] } }).payload.data.map((row) => JSON.stringify(row));
}

function ownersOf(found: readonly number[], { owners }: Rows): number[] {
  return [...new Set(found.flatMap((index) => owners[index] ?? []))];
}

/** Every text of a sample, whatever it is wrapped in. */
function textsIn(samples: unknown): string[] {
  if (typeof samples === 'string') return samples.split(/[^0-9A-Za-z]+/);
  if (typeof samples !== 'object' || samples === null) return [];
  return Object.entries(samples).flatMap(([key, value]) => [key, ...textsIn(value)]);
}
