import { afterEach } from '@jest/globals';
import type { z } from 'zod';
import { batchFrom, type OutputMember } from '../../../src/kit/index.js';
import { Evidence, MemoryDestination, testConnect } from '../../../src/kit/testing/index.js';
import { sftp } from '../index.js';
import { FakeSftpServer, type ServerHabits } from './fake-sftp-server.js';

export const member = (index: number): OutputMember => ({
  mpid: String(1000 + index),
  identities: { email: [`person-${index}@example.com`, `other-${index}@example.com`] },
});

export const audience = { externalId: 'a', name: 'Spring: "buyers"' };
export const batchOf = (members: OutputMember[], toVersion = 1, id = 'b1') =>
  batchFrom({ id, members, fromVersion: toVersion - 1, toVersion });

const servers: FakeSftpServer[] = [];
afterEach(() => Promise.all(servers.splice(0).map((server) => server.stop())));

export interface RigOptions {
  habits?: ServerHabits;
  credentials?: z.input<typeof sftp.credentials>;
  connection?: z.input<typeof sftp.connectionSettings>;
}

/** A server of its own, gone after the test, and a context that reaches it. */
export async function rig(
  settings: Partial<z.input<typeof sftp.settings>>,
  { habits = {}, credentials = { password: 'secret' }, connection = {} }: RigOptions = {},
) {
  const server = await FakeSftpServer.start(habits);
  servers.push(server);
  const { replace } = sftp.audience;
  if (!replace) throw new Error('The SFTP output takes whole states.');
  const { signal } = new AbortController();
  const ctx: Parameters<typeof sftp.audience.add>[0] = {
    settings: sftp.settings.parse({
      host: '127.0.0.1',
      port: server.port,
      username: 'hub',
      hostKeys: [server.hostKey],
      ...settings,
    }),
    credentials: sftp.credentials.parse(credentials),
    connection: sftp.connectionSettings.parse(connection),
    connectionId: 'connection-1',
    runId: 'run-1',
    http: { request: () => Promise.reject(new Error('The SFTP output makes no requests.')) },
    destination: () => new MemoryDestination(),
    connect: testConnect(signal),
    log: new Evidence().log,
    signal,
    now: () => new Date('2026-01-01T12:00:00Z'),
  };
  return { server, ctx, replace };
}
