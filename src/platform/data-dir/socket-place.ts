import { createHash } from 'node:crypto';
import { mkdir, open, stat, type FileHandle } from 'node:fs/promises';
import { createServer, connect, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Bytes that every system takes as the path of a socket. */
const MAX_SOCKET_PATH_BYTES = 100;
/** What systems answer where a file system has no sockets (shared folders of virtual machines, mostly). */
const NO_SOCKETS = new Set(['EOPNOTSUPP', 'ENOTSUP', 'ENOSYS', 'EPERM', 'EINVAL']);

/** A folder that sockets are made in, and how to call them within the length that systems allow. */
export interface SocketPlace {
  folder: string;
  /** Address of the socket `name` for listening and connecting. */
  address(name: string): string;
  close(): Promise<void>;
}

/**
 * The folder for the sockets of the data directory: `lock/` inside it, which every process sees that sees
 * the data. On Linux it is reached over its descriptor, so that no path is too long. Where sockets cannot
 * be made there, a folder of the machine's temporary directory stands for it, named by the directory's
 * device and inode.
 */
export async function openSocketPlace(dataDir: string): Promise<SocketPlace> {
  const inside = await placeIn(join(dataDir, 'lock'));
  if (await takesSockets(inside)) return inside;
  await inside.close();
  const { dev, ino } = await stat(dataDir, { bigint: true });
  const name = createHash('sha256').update(`${dev}:${ino}`).digest('hex').slice(0, 16);
  return placeIn(join(tmpdir(), `hub-lock-${process.getuid?.() ?? 0}-${name}`));
}

async function placeIn(folder: string): Promise<SocketPlace> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const handle = process.platform === 'linux' ? await open(folder, 'r') : undefined;
  return {
    folder,
    address: (name) => join(handle ? `/proc/self/fd/${handle.fd}` : folder, name),
    close: async () => closed(handle),
  };
}

async function closed(handle: FileHandle | undefined): Promise<void> {
  await handle?.close();
}

/** Tries it out: some file systems only tell when a socket is bound. */
async function takesSockets(place: SocketPlace): Promise<boolean> {
  const name = `draft.${process.pid}.probe`;
  if (Buffer.byteLength(place.address(name)) > MAX_SOCKET_PATH_BYTES) return false;
  try {
    const server = await listening(place.address(`${name}.${Math.random().toString(36).slice(2)}`));
    await new Promise((resolve) => server.close(resolve));
    return true;
  } catch (error) {
    if (NO_SOCKETS.has((error as NodeJS.ErrnoException).code ?? '')) return false;
    throw error;
  }
}

/** A server on a new socket that hangs up on whoever connects and does not keep the process alive. */
export function listening(address: string): Promise<Server> {
  const server = createServer((connection) => connection.on('error', () => undefined).destroy());
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(address, () => {
      server.removeListener('error', reject);
      server.on('error', () => undefined);
      resolve(server.unref());
    });
  });
}

/**
 * True where a living process listens on the socket. The system refuses a connection to a socket whose
 * process is gone, however it went; anything but a refusal counts as alive.
 */
export function isAlive(address: string): Promise<boolean> {
  return new Promise((resolve) => {
    const connection = connect(address);
    const finish = (alive: boolean) => {
      connection.destroy();
      resolve(alive);
    };
    connection.once('connect', () => finish(true));
    connection.once('error', (error: NodeJS.ErrnoException) => {
      finish(error.code !== 'ECONNREFUSED' && error.code !== 'ENOENT');
    });
  });
}
