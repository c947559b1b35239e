import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { rm } from 'node:fs/promises';

/** What compressed the file: `zip` where it is installed, else `gzip`, which does the same work. */
export interface Zipped {
  by: 'zip -6' | 'gzip -6';
  seconds: number;
}

/** Compresses `file` at level 6, as the hub's exports are. */
export async function zipFile(file: string): Promise<Zipped> {
  const zip = await ran('zip', ['-q', '-6', `${file}.zip`, file]);
  await rm(`${file}.zip`, { force: true });
  if (zip !== undefined) return { by: 'zip -6', seconds: zip };
  const gzip = await ran('gzip', ['-6', '-k', '-f', file]);
  await rm(`${file}.gz`, { force: true });
  if (gzip === undefined) throw new Error('Neither zip nor gzip is installed.');
  return { by: 'gzip -6', seconds: gzip };
}

/** Seconds, or undefined where there is no such program. */
async function ran(program: string, args: readonly string[]): Promise<number | undefined> {
  const beganMs = performance.now();
  const child = spawn(program, args, { stdio: ['ignore', 'ignore', 'inherit'] });
  try {
    const [code] = (await once(child, 'close')) as [number | null];
    if (code !== 0) throw new Error(`${program} ended with exit code ${String(code)}.`);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  return (performance.now() - beganMs) / 1000;
}
