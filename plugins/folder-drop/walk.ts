import { opendir, realpath, stat } from 'node:fs/promises';
import type { Dirent } from 'node:fs';
import { join, sep } from 'node:path';
import { isNativeError } from 'node:util/types';
import { type DropObject, fault, isDropNoise, type RefusedFile } from '../../src/kit/index.js';

/** A file found under the root, or a path that cannot be used, with the reason. */
export type Found = { found: DropObject } | { unusable: RefusedFile };

/** Where to walk. */
export interface Walk {
  /** Real path of the drop's root. */
  root: string;
  /** Key prefix with trailing slash, or empty. */
  prefix: string;
  /** Whether folders below the prefix belong to the layout. */
  recursive: boolean;
  signal: AbortSignal;
}

/** Every file below `walk.root`/`walk.prefix`, folder by folder, without holding the list in memory. */
export async function* walkDrop(walk: Walk, folderKey = walk.prefix): AsyncGenerator<Found> {
  const entries = openFolder(join(walk.root, folderKey));
  try {
    for await (const entry of entries) {
      walk.signal.throwIfAborted();
      yield* visit(walk, folderKey, entry);
    }
  } catch (error) {
    if (walk.signal.aborted || !isSystemError(error)) throw error;
    if (folderKey === walk.prefix) throw folderFault(join(walk.root, folderKey), error.code);
    // A folder that went away between two looks holds nothing to import; one that cannot be read must not
    // hide the others.
    if (error.code !== 'ENOENT') yield unusable(folderKey, 'FOLDER_UNREADABLE', unreadable(error.code));
  }
}

async function* visit(walk: Walk, folderKey: string, entry: Dirent): AsyncGenerator<Found> {
  const key = folderKey + entry.name;
  if (isDropNoise(key.slice(walk.prefix.length))) return;
  if (entry.isDirectory()) {
    if (walk.recursive) yield* walkDrop(walk, `${key}/`);
    return;
  }
  if (entry.isFile() || entry.isSymbolicLink()) {
    const found = await look(walk.root, key);
    if (found) yield found;
  }
}

/** Size, revision and time of the file behind `key`; undefined where there is none any more. */
export async function look(root: string, key: string): Promise<Found | undefined> {
  try {
    const path = await realpath(join(root, key));
    if (!isInside(root, path)) {
      return unusable(
        key,
        'LINK_OUTSIDE',
        'The link leads out of the drop folder. Put the file itself there.',
      );
    }
    const stats = await stat(path, { bigint: true });
    if (stats.isDirectory()) {
      return unusable(
        key,
        'LINKED_FOLDER',
        'Links to folders are not followed. Put the folder itself there.',
      );
    }
    if (!stats.isFile()) return undefined;
    return {
      found: { key, revision: revisionOf(stats), sizeBytes: Number(stats.size), modifiedAt: stats.mtime },
    };
  } catch (error) {
    if (!isSystemError(error)) throw error;
    if (error.code === 'ENOENT') return lostName(key);
    if (error.code === 'ELOOP') return unusable(key, 'LINK_LOOP', 'The link leads to itself.');
    return unusable(key, 'FILE_UNREADABLE', unreadable(error.code));
  }
}

/**
 * Size, nanoseconds of the last change of the content, and inode. A rewrite in place moves the time, a
 * rename over the name brings another inode: a content that differs under the same three would need a
 * write of the same length within one tick of the file system's clock, and files are only listed once
 * they have been left alone for much longer than that. A checksum would read every file on every visit.
 */
export function revisionOf(stats: { size: bigint; mtimeNs: bigint; ino: bigint }): string {
  return `${stats.size}-${stats.mtimeNs}-${stats.ino}`;
}

/** True where `path` is `root` or below it. Both are real paths. */
export function isInside(root: string, path: string): boolean {
  return path === root || path.startsWith(root.endsWith(sep) ? root : root + sep);
}

/** The fault of a folder that cannot be listed. */
export function folderFault(path: string, code: string) {
  if (code === 'ENOENT') {
    return fault.config(
      'FOLDER_MISSING',
      `The folder ${path} does not exist. Create it or correct the settings.`,
    );
  }
  if (code === 'ENOTDIR') {
    return fault.config('NOT_A_FOLDER', `${path} is not a folder. Correct the settings.`);
  }
  return fault.config(
    'FOLDER_UNREADABLE',
    `The folder ${path} cannot be read (${code}). Give the hub's user the right to list it.`,
  );
}

/** True for errors of the file system, which carry a code such as ENOENT. */
export function isSystemError(error: unknown): error is Error & { code: string } {
  return isNativeError(error) && 'code' in error && typeof error.code === 'string' && 'syscall' in error;
}

async function* openFolder(path: string): AsyncGenerator<Dirent> {
  yield* await opendir(path);
}

/** A listed name that leads nowhere: gone since, unless its bytes are no UTF-8 and could not be asked for. */
function lostName(key: string): Found | undefined {
  if (!key.includes('\uFFFD')) return undefined;
  return unusable(key, 'NAME_NOT_UTF8', 'The name of the file is not UTF-8. Rename the file.');
}

function unusable(key: string, code: string, message: string): Found {
  return { unusable: { key, revision: code, refused: { code, message } } };
}

function unreadable(code: string): string {
  return `It cannot be read (${code}). Give the hub's user the right to read it.`;
}
