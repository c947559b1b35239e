import { z } from 'zod';
import { type Destination, fault } from '../../src/kit/index.js';

const fileNames = z.array(z.string());

/** Where the parts of one whole state lie until it is complete. */
export interface WholeState {
  connectionId: string;
  toVersion: number;
}

/** Key of a part. The same part number is the same key, so writing a part twice changes nothing. */
export function partKey(state: WholeState, part: number): string {
  return `${partsFolder(state)}${String(part).padStart(9, '0')}`;
}

/**
 * Makes `target` the header and all parts, then clears the parts away. May be killed anywhere and called
 * again: the note of the finished version is written before the first part is deleted, so that missing
 * parts are told from finished ones.
 */
export async function finishWhole(
  destination: Destination,
  state: WholeState,
  whole: { target: string; header: string; parts: number },
): Promise<void> {
  const stored = new Set(await destination.list(partsFolder(state)));
  const wanted = Array.from({ length: whole.parts }, (_, index) => partKey(state, index));
  const missing = wanted.filter((key) => !stored.has(key));
  if (missing.length === 0) await join(destination, state, whole, wanted);
  else if (!(await isFinished(destination, state))) {
    throw fault.config(
      'PARTS_MISSING',
      `${missing.length} of ${whole.parts} parts of version ${state.toVersion} are not in the destination ` +
        `(first: ${missing[0]}). Were they deleted while the delivery ran? Keep .parts/ as it is, and send the version again.`,
    );
  }
  await clearAway(destination, state);
}

/**
 * Deletes everything that the connection left in the destination, also files that it wrote under former names, but for
 * those that other connections write as well. `target`: its file where nothing was noted.
 */
export async function forgetConnection(
  destination: Destination,
  connectionId: string,
  target: string,
): Promise<void> {
  const others = new Set<string>();
  for (const key of await destination.list('.parts/')) {
    if (!key.endsWith('/files') || key === filesKey(connectionId)) continue;
    const current = (await notedFiles(destination, key)).at(-1);
    if (current !== undefined) others.add(current);
  }
  const own = await notedFiles(destination, filesKey(connectionId));
  for (const key of own.length > 0 ? own : [target]) if (!others.has(key)) await destination.delete(key);
  // The note of the files goes last: until then the deletion can be repeated.
  const rest = (await destination.list(connectionFolder(connectionId))).filter(
    (key) => key !== filesKey(connectionId),
  );
  for (const key of [...rest, ...(own.length > 0 ? [filesKey(connectionId)] : [])])
    await destination.delete(key);
}

/** Deletes what the connection left besides its files. */
export async function forgetNotes(destination: Destination, connectionId: string): Promise<void> {
  for (const key of await destination.list(connectionFolder(connectionId))) await destination.delete(key);
}

async function join(
  destination: Destination,
  state: WholeState,
  whole: { target: string; header: string },
  parts: readonly string[],
): Promise<void> {
  const headerKey = `${connectionFolder(state.connectionId)}header`;
  await destination.put(headerKey, whole.header);
  await noteFile(destination, state.connectionId, whole.target);
  await destination.concat(whole.target, [headerKey, ...parts]);
  await destination.put(finishedKey(state), String(state.toVersion));
}

async function isFinished(destination: Destination, state: WholeState): Promise<boolean> {
  const note = await destination.get(finishedKey(state));
  return note !== undefined && Buffer.from(note).toString() === String(state.toVersion);
}

async function clearAway(destination: Destination, state: WholeState): Promise<void> {
  const note = finishedKey(state);
  for (const key of await destination.list(connectionFolder(state.connectionId))) {
    if (key !== note && key !== filesKey(state.connectionId)) await destination.delete(key);
  }
}

/** Written before the file: what is there is noted. The newest name stands last. */
async function noteFile(destination: Destination, connectionId: string, target: string): Promise<void> {
  const files = await notedFiles(destination, filesKey(connectionId));
  if (files.at(-1) === target) return;
  const next = [...files.filter((file) => file !== target), target];
  await destination.put(filesKey(connectionId), JSON.stringify(next));
}

async function notedFiles(destination: Destination, key: string): Promise<string[]> {
  const note = await destination.get(key);
  return note === undefined ? [] : fileNames.parse(JSON.parse(Buffer.from(note).toString()));
}

function filesKey(connectionId: string): string {
  return `${connectionFolder(connectionId)}files`;
}

function connectionFolder(connectionId: string): string {
  return `.parts/${connectionId}/`;
}

function partsFolder({ connectionId, toVersion }: WholeState): string {
  return `${connectionFolder(connectionId)}v${toVersion}/`;
}

function finishedKey({ connectionId }: WholeState): string {
  return `${connectionFolder(connectionId)}finished`;
}
