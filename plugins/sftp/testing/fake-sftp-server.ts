import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { posix } from 'node:path';
import ssh2, { type Connection, type SFTPWrapper } from 'ssh2';
import { fingerprintOf } from '../session.js';
import { MemoryFiles, Refusal } from './memory-files.js';

const { Server, utils } = ssh2;
const { STATUS_CODE, OPEN_MODE } = utils.sftp;

/** What the types of ssh2 leave out of a server's connection. */
interface NoDelay {
  setNoDelay?(noDelay: boolean): void;
}

/** Requests that change something, and so may be refused. */
export type ServerStep = 'OPEN' | 'WRITE' | 'RENAME' | 'REMOVE' | 'MKDIR' | 'SETSTAT';

/** How the stand-in differs from a server that takes everything. */
export interface ServerHabits {
  /** The only password taken; any where neither this nor `key` is set. */
  password?: string;
  /** The only public key taken, as one line of OpenSSH. */
  publicKey?: string;
  /** Takes the password as the answer to a question only. */
  asks?: boolean;
  /** Offers `posix-rename@openssh.com`, as OpenSSH does. */
  posixRename?: boolean;
  /** Called before each step: a status refuses it, `full` as a full disk does, `cut` breaks off. */
  onStep?: (step: ServerStep, path: string) => number | 'full' | 'cut' | undefined;
}

/** A key pair; ssh2 makes one in some hundreds that it cannot read itself. */
export function keyPair(options: { passphrase?: string } = {}): { public: string; private: string } {
  const { passphrase } = options;
  for (;;) {
    const pair = utils.generateKeyPairSync(
      'ed25519',
      passphrase === undefined ? {} : { passphrase, cipher: 'aes256-ctr', rounds: 1 },
    );
    if (!(utils.parseKey(pair.public) instanceof Error)) return pair;
  }
}

const hostKey = keyPair();

function parsedKey(text: string) {
  const parsed = utils.parseKey(text);
  if (parsed instanceof Error) throw parsed;
  return Array.isArray(parsed) ? parsed[0] : parsed;
}

function publicPartOf(text: string): Buffer {
  return parsedKey(text).getPublicSSH();
}

/** A real SSH server on a free port of this machine, whose files are in memory. */
export class FakeSftpServer {
  readonly files = new MemoryFiles();
  readonly hostKey: string;
  habits: ServerHabits;
  /** Changing steps so far. */
  steps = 0;
  readonly #server: InstanceType<typeof Server>;
  readonly #connections = new Set<Connection>();

  private constructor(habits: ServerHabits) {
    this.habits = habits;
    this.hostKey = fingerprintOf(publicPartOf(hostKey.public));
    this.#server = new Server({ hostKeys: [hostKey.private] }, (connection) => this.#welcome(connection));
  }

  static async start(habits: ServerHabits = {}): Promise<FakeSftpServer> {
    const server = new FakeSftpServer(habits);
    server.#server.listen(0, '127.0.0.1');
    await once(server.#server, 'listening');
    return server;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get open(): number {
    return this.#connections.size;
  }

  async stop(): Promise<void> {
    for (const connection of this.#connections) connection.end();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  #welcome(connection: Connection & NoDelay): void {
    // As sshd does: else each answer waits for the client's delayed acknowledgement of the last, 40 ms.
    connection.setNoDelay?.(true);
    this.#connections.add(connection);
    connection.on('close', () => this.#connections.delete(connection));
    connection.on('error', () => this.#connections.delete(connection));
    connection.on('authentication', (attempt) => {
      const { password, publicKey, asks } = this.habits;
      if (attempt.method === 'publickey' && publicKey !== undefined) {
        const key = parsedKey(publicKey);
        const fits = attempt.key.data.equals(key.getPublicSSH());
        const signed = attempt.signature
          ? key.verify(attempt.blob ?? Buffer.alloc(0), attempt.signature, attempt.hashAlgo)
          : true;
        if (fits && signed === true) return attempt.accept();
      }
      const takes = (given?: string) => publicKey === undefined && (password ?? given) === given;
      if (attempt.method === 'password' && !asks && takes(attempt.password)) return attempt.accept();
      if (attempt.method === 'keyboard-interactive' && asks) {
        return attempt.prompt([{ prompt: 'Password: ', echo: false }], ([answer]) =>
          takes(answer) ? attempt.accept() : attempt.reject(),
        );
      }
      attempt.reject(asks ? ['keyboard-interactive'] : ['password', 'publickey']);
    });
    connection.on('ready', () => {
      connection.on('session', (accept) => {
        accept().on('sftp', (acceptSftp) => this.#serve(acceptSftp(), connection));
      });
    });
  }

  #serve(sftp: SFTPWrapper, connection: Connection): void {
    if (this.habits.posixRename) offerPosixRename(sftp);
    const handles: string[] = [];
    const pathOf = (handle: Buffer) => handles[handle.readUInt32BE()] ?? '';
    const absolute = (path: string) => posix.resolve('/', path);
    /** Answers what `work` comes to; a step may be refused first. */
    const answer = (id: number, step: ServerStep | undefined, path: string, work: () => boolean | void) => {
      try {
        if (step) {
          this.steps += 1;
          const refused = this.habits.onStep?.(step, path);
          if (refused === 'cut') return void connection.end();
          if (refused === 'full') throw new Refusal(STATUS_CODE.FAILURE, 'No space left on device');
          if (refused !== undefined) throw new Refusal(refused);
        }
        if (work() !== true) sftp.status(id, STATUS_CODE.OK);
      } catch (error) {
        const { status = STATUS_CODE.FAILURE, message = '' } = error instanceof Refusal ? error : {};
        sftp.status(id, status, message);
      }
    };
    const stat = (id: number, given: string) =>
      answer(id, undefined, given, () => {
        const path = absolute(given);
        const folder = this.files.isFolder(path);
        const size = folder ? 0 : this.files.read(path).byteLength;
        const mode = folder ? 0o040755 : 0o100644;
        sftp.attrs(id, { mode, uid: 0, gid: 0, size, atime: 0, mtime: 0 });
        return true;
      });
    sftp.on('REALPATH', (id, path) => {
      sftp.name(id, [{ filename: absolute(path), longname: '', attrs: {} as never }]);
    });
    sftp.on('STAT', stat);
    sftp.on('LSTAT', stat);
    sftp.on('FSTAT', (id, handle) => stat(id, pathOf(handle)));
    sftp.on('OPEN', (id, given, flags) => {
      const path = absolute(given);
      const writes = (flags & OPEN_MODE.WRITE) !== 0;
      answer(id, writes ? 'OPEN' : undefined, path, () => {
        this.files.open(path, {
          create: (flags & OPEN_MODE.CREAT) !== 0,
          truncate: (flags & OPEN_MODE.TRUNC) !== 0,
        });
        const handle = Buffer.alloc(4);
        handle.writeUInt32BE(handles.push(path) - 1);
        sftp.handle(id, handle);
        return true;
      });
    });
    sftp.on('WRITE', (id, handle, offset, data) =>
      answer(id, 'WRITE', pathOf(handle), () => this.files.write(pathOf(handle), offset, data)),
    );
    sftp.on('READ', (id, handle, offset, length) =>
      answer(id, undefined, pathOf(handle), () => {
        const piece = this.files.read(pathOf(handle)).subarray(offset, offset + length);
        if (piece.byteLength === 0) throw new Refusal(STATUS_CODE.EOF);
        sftp.data(id, piece);
        return true;
      }),
    );
    sftp.on('CLOSE', (id) => sftp.status(id, STATUS_CODE.OK));
    sftp.on('FSETSTAT', (id) => sftp.status(id, STATUS_CODE.OK));
    sftp.on('SETSTAT', (id, path, { size }) =>
      answer(id, 'SETSTAT', absolute(path), () => this.files.truncate(absolute(path), size)),
    );
    sftp.on('MKDIR', (id, path) => answer(id, 'MKDIR', path, () => this.files.makeFolder(absolute(path))));
    sftp.on('REMOVE', (id, path) => answer(id, 'REMOVE', path, () => this.files.delete(absolute(path))));
    sftp.on('RENAME', (id, from, to) =>
      answer(id, 'RENAME', absolute(to), () => this.files.rename(absolute(from), absolute(to), false)),
    );
    sftp.on('EXTENDED', (id, name, data) => {
      if (name !== 'posix-rename@openssh.com') return sftp.status(id, STATUS_CODE.OP_UNSUPPORTED);
      const [from = '', to = ''] = stringsIn(data);
      answer(id, 'RENAME', absolute(to), () => this.files.rename(absolute(from), absolute(to), true));
    });
  }
}

function stringsIn(data: Buffer): string[] {
  const strings: string[] = [];
  for (let at = 0; at < data.byteLength;) {
    const length = data.readUInt32BE(at);
    strings.push(data.subarray(at + 4, at + 4 + length).toString());
    at += 4 + length;
  }
  return strings;
}

/** ssh2's server names no extensions in its VERSION packet; this one goes out with one more. */
function offerPosixRename(sftp: SFTPWrapper): void {
  const { _protocol: protocol } = sftp as unknown as { _protocol: { channelData: ChannelData } };
  const send = protocol.channelData.bind(protocol);
  protocol.channelData = (channel, packet) => {
    protocol.channelData = send;
    const pairs = ['posix-rename@openssh.com', '1'].map((text) => {
      const length = Buffer.alloc(4);
      length.writeUInt32BE(text.length);
      return Buffer.concat([length, Buffer.from(text)]);
    });
    const longer = Buffer.concat([packet, ...pairs]);
    longer.writeUInt32BE(longer.byteLength - 4);
    return send(channel, longer);
  };
}

type ChannelData = (channel: number, packet: Buffer) => unknown;
