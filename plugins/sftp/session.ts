import { createHash } from 'node:crypto';
import ssh2, { type SFTPWrapper } from 'ssh2';
import type { z } from 'zod';
import { type ConnectorError, type Context, fault } from '../../src/kit/index.js';
import { Remote } from './remote.js';
import type { credentials, SftpSettings } from './settings.js';
import { loginFaultOf } from './sftp-fault.js';

const CONNECT_TIMEOUT_MS = 10_000;
const HANDSHAKE_TIMEOUT_MS = 20_000;
const KEEP_ALIVE_MS = 10_000;

type LoginContext = Context<SftpSettings, z.output<typeof credentials>>;
type Client = InstanceType<typeof ssh2.Client>;

/** Runs `use` on a session of its own, which ends with it, and at once when the call is aborted. */
export async function withSession<T>(ctx: LoginContext, use: (remote: Remote) => Promise<T>): Promise<T> {
  ctx.signal.throwIfAborted();
  const { host, port } = ctx.settings;
  const sock = await ctx.connect({ host, port, timeoutMs: CONNECT_TIMEOUT_MS });
  const client = new ssh2.Client();
  const lost = lossOf(client);
  try {
    await logIn(client, ctx, sock, lost);
    return await use(new Remote(await openSftp(client, host, lost), host, lost));
  } catch (error) {
    ctx.signal.throwIfAborted();
    throw error;
  } finally {
    client.end();
    sock.destroy();
  }
}

/** Rejects when the connection is gone, with what ssh2 says of it. */
function lossOf(client: Client): Promise<never> {
  const lost = new Promise<never>((_, reject) => {
    client.on('error', reject);
    client.once('close', () => reject(new Error('The connection closed.')));
  });
  // It also rejects when nobody waits any more.
  lost.catch(() => undefined);
  return lost;
}

async function logIn(
  client: Client,
  ctx: LoginContext,
  sock: Awaited<ReturnType<LoginContext['connect']>>,
  lost: Promise<never>,
): Promise<void> {
  const { host, username, hostKeys } = ctx.settings;
  const { password, privateKey, passphrase } = ctx.credentials;
  let refusedKey: ConnectorError | undefined;
  const ready = new Promise<void>((resolve) => {
    client.once('ready', () => resolve());
  });
  // Servers that ask for the password as a question, with whatever prompt.
  client.on('keyboard-interactive', (...[, , , prompts, answer]) =>
    answer(prompts.map(() => password ?? '')),
  );
  try {
    client.connect({
      sock,
      username,
      readyTimeout: HANDSHAKE_TIMEOUT_MS,
      keepaliveInterval: KEEP_ALIVE_MS,
      hostVerifier: (key: Buffer) => {
        const seen = fingerprintOf(key);
        if (hostKeys.includes(seen)) return true;
        refusedKey = hostKeyRefused(host, hostKeys, seen);
        return false;
      },
      ...(password === undefined ? {} : { password, tryKeyboard: true }),
      ...(privateKey === undefined ? {} : { privateKey }),
      ...(passphrase === undefined ? {} : { passphrase }),
    });
    await Promise.race([ready, lost]);
  } catch (error) {
    throw refusedKey ?? loginFaultOf(error, host, username);
  }
}

async function openSftp(client: Client, host: string, lost: Promise<never>): Promise<SFTPWrapper> {
  const opened = new Promise<SFTPWrapper>((resolve, reject) => {
    client.sftp((error, sftp) => (error ? reject(error) : resolve(sftp)));
  });
  try {
    const sftp = await Promise.race([opened, lost]);
    // A malformed packet of the server: pending requests are answered with errors of their own.
    sftp.on('error', () => client.end());
    return sftp;
  } catch {
    throw fault.config(
      'SFTP_UNSUITABLE',
      `${host} let the user log in, but offers no SFTP. Ask its operator.`,
    );
  }
}

/** A host key's fingerprint as `ssh-keygen -lf` shows it. */
export function fingerprintOf(key: Buffer): string {
  return `SHA256:${createHash('sha256').update(key).digest('base64').replace(/=+$/, '')}`;
}

function hostKeyRefused(host: string, trusted: readonly string[], seen: string): ConnectorError {
  return trusted.length === 0
    ? fault.config(
        'HOST_KEY_UNKNOWN',
        `${host} shows the host key ${seen}, and none is trusted yet. Compare it with what the operator of the ` +
          'server says, and put it into hostKeys.',
      )
    : fault.config(
        'HOST_KEY_CHANGED',
        `${host} shows the host key ${seen}, which is none of those trusted. Somebody may be in between: put it ` +
          'into hostKeys only if the operator of the server confirms that it changed.',
      );
}
