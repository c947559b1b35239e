import { realpath } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import {
  type Context,
  defineInput,
  type DropObject,
  dropPrefixOf,
  dropSettings,
  type ListedFile,
  listedFileOf,
} from '../../src/kit/index.js';
import { openRevision } from './open.js';
import { folderFault, isSystemError, look, walkDrop } from './walk.js';

const settings = dropSettings.extend({
  path: z.string().min(1).meta({ description: 'Folder to watch, as an absolute path' }),
  stableForMs: z
    .int()
    .nonnegative()
    .default(2000)
    .meta({ description: 'Milliseconds a file must have been left alone before it is read' }),
});
type Settings = z.output<typeof settings>;

/** Files dropped into a folder, in the IQM or the Repro layout. */
export const folderDrop = defineInput({
  id: 'folder-drop',
  name: 'Folder drop',
  description: 'CSV files in a folder of the machine: a file is an audience, a changed file refreshes it.',
  version: '1.0.0',
  settings,
  credentials: z.object({}),
  folders: (settings) => [resolve(settings.path)],
  async check(ctx) {
    const root = await rootOf(ctx.settings);
    const walk = { root, prefix: dropPrefixOf(ctx.settings), recursive: false, signal: ctx.signal };
    const entries = walkDrop(walk);
    await entries.next();
    await entries.return(undefined);
  },
  trigger: { type: 'schedule', list },
  async open(ctx, file) {
    return openRevision(await rootOf(ctx.settings), file, ctx.signal);
  },
});

async function* list(ctx: Context<Settings, Record<string, never>>): AsyncGenerator<ListedFile> {
  ctx.signal.throwIfAborted();
  const root = await rootOf(ctx.settings);
  const young: DropObject[] = [];
  const walk = {
    root,
    prefix: dropPrefixOf(ctx.settings),
    recursive: ctx.settings.layout === 'iqm',
    signal: ctx.signal,
  };
  for await (const entry of walkDrop(walk)) {
    if ('unusable' in entry) yield entry.unusable;
    else if (isSettled(ctx, entry.found)) yield* listed(ctx.settings, entry.found);
    else young.push(entry.found);
  }
  yield* listAfterSecondLook(ctx, root, young);
}

/**
 * Files that may still be written are looked at again after `stableForMs`: those that did not change are
 * ready, the others wait for the next visit. So a file is taken by the first visit after it was dropped,
 * and one whose time lies in the future (a clock was wrong) is not kept waiting for ever.
 */
async function* listAfterSecondLook(
  ctx: Context<Settings, Record<string, never>>,
  root: string,
  young: readonly DropObject[],
): AsyncGenerator<ListedFile> {
  if (young.length === 0) return;
  await delay(ctx.settings.stableForMs, undefined, { signal: ctx.signal });
  for (const before of young) {
    ctx.signal.throwIfAborted();
    const now = await look(root, before.key);
    if (now && 'found' in now && now.found.revision === before.revision)
      yield* listed(ctx.settings, now.found);
  }
}

function isSettled(ctx: Context<Settings, Record<string, never>>, file: DropObject): boolean {
  const ageMs = ctx.now().getTime() - file.modifiedAt.getTime();
  return ctx.settings.stableForMs === 0 || ageMs >= ctx.settings.stableForMs;
}

function* listed(settings: Settings, file: DropObject): Generator<ListedFile> {
  const entry = listedFileOf(settings, file);
  if (entry) yield entry;
}

async function rootOf(settings: Settings): Promise<string> {
  const path = resolve(settings.path);
  try {
    return await realpath(path);
  } catch (error) {
    throw isSystemError(error) ? folderFault(join(path, dropPrefixOf(settings)), error.code) : error;
  }
}
