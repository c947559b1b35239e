import { randomBytes, randomUUID } from 'node:crypto';
import { chmod, link, open, readFile, stat, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { KEY_BYTES } from './derive-key.js';

const FILE_NAME = 'secret.key';

/** The key file is there and cannot serve. */
export class SecretKeyError extends Error {
  override readonly name = 'SecretKeyError';
}

/**
 * The 32-byte master key: `configured` (HUB_SECRET_KEY) if there is one, else the file `secret.key` of the
 * data directory, made at the first start. Whoever loses it loses the stored credentials, and only those.
 *
 * @throws SecretKeyError where the file does not hold a key.
 */
export async function loadSecretKey(dataDir: string, configured?: Buffer): Promise<Buffer> {
  if (configured) return configured;
  const path = join(dataDir, FILE_NAME);
  const existing = await readKey(path);
  if (existing) return existing;
  await createKey(dataDir, path);
  const created = await readKey(path);
  if (created) return created;
  throw new SecretKeyError(`${path} disappeared while the hub started. Start it again.`);
}

async function readKey(path: string): Promise<Buffer | undefined> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  if (!/^[0-9a-f]{64}\n?$/.test(text)) {
    throw new SecretKeyError(
      `${path} holds no key: expected ${KEY_BYTES * 2} hexadecimal digits. Restore it from a backup, or move it ` +
        'away to get a new one; credentials stored with the old key must then be entered again.',
    );
  }
  const { mode } = await stat(path);
  if ((mode & 0o077) !== 0) await chmod(path, 0o600);
  return Buffer.from(text.trim(), 'hex');
}

/** Written whole under another name and then linked: a crash leaves no half key, two starters share one. */
async function createKey(dataDir: string, path: string): Promise<void> {
  const draft = join(dataDir, `${FILE_NAME}.${randomUUID()}`);
  const file = await open(draft, 'wx', 0o600);
  try {
    await file.writeFile(`${randomBytes(KEY_BYTES).toString('hex')}\n`);
    await file.sync();
  } finally {
    await file.close();
  }
  try {
    await link(draft, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    await unlink(draft);
  }
  await syncFolder(dataDir);
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
