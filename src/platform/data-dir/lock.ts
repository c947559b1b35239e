import { randomBytes } from 'node:crypto';
import { readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import type { Server } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { isAlive, listening, openSocketPlace, type SocketPlace } from './socket-place.js';

/** How long claimants of the same instant try to agree. */
const AGREE_WITHIN_MS = 30_000;
const LOOK_AGAIN_MS = 10;
const HOLDER_FILE = 'holder.json';
const CLAIM = /^claim\.(\d+)\.[0-9a-f]{16}$/;

/** Another process works on the data directory. */
export class DataDirLockedError extends Error {
  override readonly name = 'DataDirLockedError';

  constructor(
    readonly dataDir: string,
    readonly pid: number,
  ) {
    super(
      `${dataDir} is in use by another hub (process ${pid}). Stop that one, or set HUB_DATA to another directory.`,
    );
  }
}

/** A lock that is held until it is released or the process ends, however it ends. */
export interface DataDirLock {
  release(): Promise<void>;
}

/**
 * Takes the lock of `dataDir`.
 *
 * Node has no file locks, and a file with a process id in it outlives its process, so the system keeps the
 * lock: every claimant listens on a Unix socket with a name of its own in `lock/`. A socket that takes
 * connections has a living process; one that refuses them is dead and is deleted, which is safe because
 * its name is never used again. Process ids are only shown, never judged by.
 *
 * First the own claim is made visible, then the others' are looked at: of two claimants at least one sees
 * the other, so never both hold the lock. Whoever sees another claim steps back, unless its own name is
 * the first; so one of any number that start at the same instant gets it. A socket gets its visible name
 * only when it listens, so that no claim looks dead while it is being made.
 *
 * @throws DataDirLockedError where a living process has it.
 */
export async function acquireLock(dataDir: string): Promise<DataDirLock> {
  const place = await openSocketPlace(dataDir);
  const deadline = performance.now() + AGREE_WITHIN_MS;
  try {
    for (;;) {
      await refuseIfHeld(place, dataDir, await livingClaims(place));
      const claim = await makeClaim(place);
      const won = await insist(claim, place, dataDir, deadline).catch(async (error: unknown) => {
        await withdraw(claim, place);
        throw error;
      });
      if (won) {
        await writeHolder(place, claim.name);
        return { release: () => release(claim, place) };
      }
      await withdraw(claim, place);
      await sleep(LOOK_AGAIN_MS * (1 + Math.random()));
    }
  } catch (error) {
    await place.close();
    throw error;
  }
}

/** A visible claim and the server that proves it. */
interface Claim {
  name: string;
  server: Server;
}

async function makeClaim(place: SocketPlace): Promise<Claim> {
  const unique = `${process.pid}.${randomBytes(8).toString('hex')}`;
  const server = await listening(place.address(`draft.${unique}`));
  const name = `claim.${unique}`;
  await rename(join(place.folder, `draft.${unique}`), join(place.folder, name));
  return { name, server };
}

/** True where the claim is the only one left, false where it has to step back. */
async function insist(claim: Claim, place: SocketPlace, dataDir: string, deadline: number): Promise<boolean> {
  for (;;) {
    const others = (await livingClaims(place)).filter((name) => name !== claim.name);
    if (others.length === 0) return true;
    await refuseIfHeld(place, dataDir, others);
    if (performance.now() > deadline) throw new DataDirLockedError(dataDir, pidOf(others[0] ?? ''));
    if (others.some((name) => name < claim.name)) return false;
    await sleep(LOOK_AGAIN_MS);
  }
}

/** Names of the claims whose processes live; those of dead ones are cleared away. */
async function livingClaims(place: SocketPlace): Promise<string[]> {
  const names = (await readdir(place.folder)).filter((name) => CLAIM.test(name));
  const alive = await Promise.all(names.map((name) => isAlive(place.address(name))));
  const dead = names.filter((_, index) => !alive[index]);
  await Promise.all(dead.map((name) => rm(join(place.folder, name), { force: true })));
  return names.filter((_, index) => alive[index]);
}

async function refuseIfHeld(place: SocketPlace, dataDir: string, living: readonly string[]): Promise<void> {
  const holder = await readFile(join(place.folder, HOLDER_FILE), 'utf8').catch(() => '');
  const claim = /"claim":"([^"]+)"/.exec(holder)?.[1];
  if (claim !== undefined && living.includes(claim)) throw new DataDirLockedError(dataDir, pidOf(claim));
}

/** Says which claim has won, for those who come later; a claim that is gone says nothing. */
async function writeHolder(place: SocketPlace, claim: string): Promise<void> {
  const draft = join(place.folder, `${HOLDER_FILE}.${claim}`);
  await writeFile(draft, `${JSON.stringify({ claim })}\n`);
  await rename(draft, join(place.folder, HOLDER_FILE));
}

/** Invisible first, silent then: whoever sees the claim finds it alive. */
async function withdraw({ name, server }: Claim, place: SocketPlace): Promise<void> {
  await rm(join(place.folder, name), { force: true });
  await new Promise((resolve) => server.close(resolve));
}

async function release(claim: Claim, place: SocketPlace): Promise<void> {
  await withdraw(claim, place);
  await place.close();
}

function pidOf(claim: string): number {
  return Number(CLAIM.exec(claim)?.[1] ?? Number.NaN);
}
