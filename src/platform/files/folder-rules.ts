import { realpath } from 'node:fs/promises';
import { dirname, isAbsolute, relative, sep } from 'node:path';

/** True where `folder` is one of `roots` or below one, by name. */
export function isBelow(roots: readonly string[], folder: string): boolean {
  return roots.some((root) => {
    const way = relative(root, folder);
    return way === '' || (way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way));
  });
}

/** The same with every symbolic link followed; of a folder that is not there yet, its nearest ancestor counts. */
export async function isReallyBelow(roots: readonly string[], folder: string): Promise<boolean> {
  return isBelow(await Promise.all(roots.map((root) => realAncestor(root))), await realAncestor(folder));
}

/** The real path of `path` as far as it exists, and the rest of it as it is. */
async function realAncestor(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch (error) {
    const parent = dirname(path);
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || parent === path) throw error;
    return `${(await realAncestor(parent)).replace(/\/$/, '')}${path.slice(parent.replace(/\/$/, '').length)}`;
  }
}
