import { createHash } from 'node:crypto';
import type { z } from 'zod';
import { batchFrom, type BatchResult, type OutputMember } from '../../../src/kit/index.js';
import { PartnerServer, testReach } from '../../../src/kit/testing/index.js';
import { googleCustomerMatch as google } from '../index.js';
import type { GoogleIdentity } from '../members.js';
import { FakeGoogle, type FakeGoogleOptions } from './fake-google.js';
import type { UploadRequest } from './upload-rules.js';

/** The moment at which the clock of contexts stands. */
export const START_MS = Date.parse('2026-01-01T00:00:00Z');

export type GoogleContext = Parameters<typeof google.audience.add>[0];

export const hash = (text: string) => createHash('sha256').update(text).digest('hex');
const name = (index: number) => `${hash(`ann${index}`)}|${hash('lee')}|10001|`;
export const member = (index: number): OutputMember<GoogleIdentity> => ({
  mpid: String(1000 + index),
  identities: { email: [hash(`e${index}`)], phone: [hash(`p${index}`)], first_last_zip_state: [name(index)] },
});
export const members = (count: number) => Array.from({ length: count }, (_, index) => member(index));
export const batchOf = (all: OutputMember<GoogleIdentity>[]) =>
  batchFrom({ id: 'b1', members: all, fromVersion: 0, toVersion: 1 });
export const sentIn = (body: string) => JSON.parse(body) as UploadRequest;

export const keyFile = (secret: string) =>
  JSON.stringify({ type: 'service_account', client_email: 'hub@example.com', private_key: secret });
export const settingsAt = (url: string): z.input<typeof google.settings> => ({
  operatingAccountId: '123-456-7890',
  termsAccepted: true,
  endpoint: url,
});

const servers: PartnerServer[] = [];

/** After each test. */
export async function stopServers(): Promise<void> {
  await Promise.all(servers.splice(0).map((server) => server.stop()));
}

/** Google, and the context of a call to it. */
export async function startGoogle(
  options: FakeGoogleOptions = {},
  settings: Partial<z.input<typeof google.settings>> = {},
  connection: z.input<typeof google.connectionSettings> = {},
) {
  const partner = new FakeGoogle(options);
  const server = await PartnerServer.start(partner);
  servers.push(server);
  return {
    partner,
    server,
    requests: server.requests,
    ctx: {
      settings: google.settings.parse({ ...settingsAt(server.url), ...settings }),
      credentials: google.credentials.parse({
        clientId: 'client',
        clientSecret: 'client-secret',
        refreshToken: 'refresh',
      }),
      connection: google.connectionSettings.parse(connection),
      ...testReach(),
      accessToken: () => Promise.resolve('token'),
    },
  };
}

export async function listIn(ctx: GoogleContext) {
  const made = await google.audience.create?.(ctx, { name: 'Spring', key: 'connection-1' });
  return { externalId: made?.externalId ?? '', name: 'Spring' };
}

/** Asks for the job that a batch was taken as. */
export async function look(ctx: GoogleContext, taken: BatchResult): Promise<BatchResult> {
  const answer = await google.audience.poll?.(ctx, taken.status === 'pending' ? taken.jobId : '');
  return answer ?? taken;
}

/** What Google says of an upload of so many members that has this outcome. */
export async function uploaded(
  outcome: NonNullable<FakeGoogleOptions['outcome']>,
  size: number,
): Promise<BatchResult> {
  const { ctx } = await startGoogle({ outcome });
  return look(ctx, await google.audience.add(ctx, await listIn(ctx), batchOf(members(size))));
}
