import { describe, expect, it } from '@jest/globals';
import { fault } from '../../src/kit/index.js';
import { sftp } from './index.js';
import { keyPair } from './testing/fake-sftp-server.js';
import { audience, batchOf, member, rig } from './testing/sftp-rig.js';

const DENIED = 3;
const FAILED = 4;

describe('a login to an SFTP server', () => {
  const keys = keyPair({ passphrase: 'open sesame' });

  it('takes a private key with a passphrase', async () => {
    const { ctx } = await rig(
      {},
      {
        habits: { publicKey: keys.public },
        credentials: { privateKey: keys.private, passphrase: 'open sesame' },
      },
    );
    await expect(sftp.check(ctx)).resolves.toBeUndefined();
  });

  it('answers a server that asks for the password', async () => {
    const { ctx } = await rig(
      {},
      { habits: { password: 'right', asks: true }, credentials: { password: 'right' } },
    );
    await expect(sftp.check(ctx)).resolves.toBeUndefined();
  });

  it.each([
    ['a wrong password', { password: 'wrong' }, 'LOGIN_REFUSED'],
    ['a key nobody knows', { privateKey: keyPair().private }, 'LOGIN_REFUSED'],
    ['a key that is none', { privateKey: 'no key' }, 'KEY_UNUSABLE'],
    ['a key with a wrong passphrase', { privateKey: keys.private, passphrase: 'no' }, 'KEY_UNUSABLE'],
    ['a key without its passphrase', { privateKey: keys.private }, 'KEY_UNUSABLE'],
  ])('with %s is a fault of the credentials', async (_, credentials, code) => {
    const { ctx } = await rig({}, { habits: { password: 'right' }, credentials });
    await expect(sftp.check(ctx)).rejects.toMatchObject({ kind: 'auth', code });
  });

  it('sends no password to a server whose key is not trusted, and says which key it shows', async () => {
    const { server, ctx } = await rig({ hostKeys: [] });
    await expect(sftp.check(ctx)).rejects.toMatchObject({
      kind: 'config',
      code: 'HOST_KEY_UNKNOWN',
      message: expect.stringContaining(server.hostKey),
    });
    const changed = await rig({ hostKeys: [`SHA256:${'A'.repeat(43)}`] });
    await expect(sftp.check(changed.ctx)).rejects.toMatchObject({ kind: 'config', code: 'HOST_KEY_CHANGED' });
    expect(changed.server.steps).toBe(0);
  });

  it('is not tried where the hub may not connect to, nor without the hub', async () => {
    const { server, ctx } = await rig({});
    const refused = fault.config('EGRESS_REFUSED', 'no');
    await expect(sftp.check({ ...ctx, connect: () => Promise.reject(refused) })).rejects.toBe(refused);
    expect(server.open).toBe(0);
  });

  it('ends with the call', async () => {
    const { server, ctx } = await rig({});
    await sftp.check(ctx);
    await expect(sftp.check({ ...ctx, signal: AbortSignal.abort() })).rejects.toThrow();
    await until(() => server.open === 0);
  });
});

describe('a server that refuses', () => {
  it.each([
    ['permission', DENIED, 'auth', 'ACCESS_DENIED'],
    ['room', 'full' as const, 'retryable', 'STORAGE_FULL'],
    ['a reason', FAILED, 'retryable', 'SFTP_FAILED'],
  ])('for want of %s to write is the right fault', async (_, status, kind, code) => {
    const { ctx } = await rig({}, { habits: { onStep: (step) => (step === 'WRITE' ? status : undefined) } });
    await expect(sftp.audience.add(ctx, audience, batchOf([member(0)]))).rejects.toMatchObject({
      kind,
      code,
    });
  });

  it.each([
    ['to open', 'OPEN', DENIED, 'auth', 'ACCESS_DENIED'],
    ['to rename', 'RENAME', DENIED, 'auth', 'ACCESS_DENIED'],
    ['to make a folder', 'MKDIR', DENIED, 'auth', 'ACCESS_DENIED'],
    ['to make a folder without a reason', 'MKDIR', FAILED, 'config', 'DESTINATION_UNUSABLE'],
  ])('%s is the right fault', async (_, refused, status, kind, code) => {
    const { ctx } = await rig(
      { directory: 'a/b' },
      { habits: { onStep: (step) => (step === refused ? status : undefined) } },
    );
    await expect(sftp.check(ctx)).rejects.toMatchObject({ kind, code });
  });

  it('with a file where the folder should be is a fault of the settings', async () => {
    const { server, ctx } = await rig({ directory: 'file/inside' });
    server.files.files.set('/file', Buffer.from('x'));
    await expect(sftp.check(ctx)).rejects.toMatchObject({ kind: 'config', code: 'DESTINATION_UNUSABLE' });
  });

  it('by breaking off is tried again', async () => {
    const { ctx } = await rig({}, { habits: { onStep: () => 'cut' } });
    await expect(sftp.check(ctx)).rejects.toMatchObject({ kind: 'retryable', code: 'CONNECTION_LOST' });
  });
});

async function until(holds: () => boolean): Promise<void> {
  for (let tries = 0; !holds(); tries += 1) {
    if (tries > 500) throw new Error('It never held.');
    await new Promise((resolve) => {
      setTimeout(resolve, 10);
    });
  }
}
