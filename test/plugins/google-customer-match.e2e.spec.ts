import { createHash } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { FakeGoogle, type Outcome } from '../../plugins/google-customer-match/testing/fake-google.js';
import { TokenEndpoint } from '../../plugins/google-customer-match/testing/token-endpoint.js';
import type { UploadRequest } from '../../plugins/google-customer-match/testing/upload-rules.js';
import { PartnerServer } from '../../src/kit/testing/index.js';
import { startDrop, type Drop } from '../support/drop.js';
import { type Erasure, untilDelivered, untilErasure } from '../support/erasures.js';
import { until } from '../support/until.js';

interface Import {
  state: string;
  audienceId: number;
  version: number;
}
interface Delivery {
  id: string;
  state: string;
  planned: number;
  accepted: number;
  rejected: number;
  skipped: number;
}
interface Fault {
  id: string;
  kind: string;
  code: string;
  message: string;
}

const WITHIN_MS = 60_000;
const HEADER = 'email,phone,FirstName,LastName,mState,mZip5';
const JWT_BEARER = 'urn:ietf:params:oauth:grant-type:jwt-bearer';
const hash = (text: string) => createHash('sha256').update(text).digest('hex');

let drop: Drop;
let server: PartnerServer;
let outcome: ((upload: number, request: UploadRequest) => Outcome | undefined) | undefined;
const tokens = new TokenEndpoint();
const google = new FakeGoogle({
  tokens,
  login: '99',
  looks: 1,
  outcome: (upload, request) => outcome?.(upload, request),
});

beforeAll(async () => {
  drop = await startDrop(
    { defaultPhoneRegion: 'US' },
    { HUB_ALLOW_PRIVATE_EGRESS: 'true', HUB_SWEEP_MS: '1000' },
  );
  server = await PartnerServer.start(google);
}, 120_000);
afterAll(async () => {
  await drop?.stop();
  await server?.stop();
});
beforeEach(() => {
  outcome = undefined;
  google.refuse = undefined;
});

const ok = <Body>(method: string, path: string, body?: unknown) => drop.hub.ok<Body>(method, path, body);
const delivered = (connectionId: string, version: number) => untilDelivered(drop.hub, connectionId, version);

async function outputWith(credentials: object, settings: object = {}): Promise<string> {
  const { id } = await ok<{ id: string }>('POST', '/outputs', {
    workspaceId: drop.workspaceId,
    plugin: 'google-customer-match',
    name: 'Google',
    settings: {
      operatingAccountId: '123-456-7890',
      loginAccountId: '99',
      termsAccepted: true,
      statusAfterSeconds: 1,
      endpoint: server.url,
      oauthEndpoint: `${server.url}/token`,
      ...settings,
    },
    credentials,
  });
  return id;
}

async function connect(audienceId: number, outputId: string): Promise<string> {
  const body = { outputId, settings: { membershipDays: 30 }, status: 'active' };
  return (await ok<{ id: string }>('POST', `/audiences/${audienceId}/connections`, body)).id;
}

async function lastDelivery(connectionId: string): Promise<Delivery> {
  const { items } = await ok<{ items: Delivery[] }>('GET', `/connections/${connectionId}/deliveries`);
  const [newest] = items;
  if (!newest) throw new Error('There is no delivery.');
  return newest;
}

/** The fault that stops a connection. */
function faultOf(connectionId: string): Promise<Fault> {
  return until(
    'the connection is faulted',
    async () => {
      const { items } = await ok<{ items: (Fault & { connectionId: string })[] }>('GET', '/faults?open=true');
      return items.find((fault) => fault.connectionId === connectionId);
    },
    WITHIN_MS,
  );
}

const listNamed = (name: string) => {
  const [id] = [...google.lists].find(([, { displayName }]) => displayName === name) ?? [];
  return id ?? 'no such list';
};
const emailsIn = (listId: string) =>
  google.membersOf(listId).map((text) => {
    const identifiers = JSON.parse(text) as { emailAddress?: string }[];
    return identifiers.flatMap(({ emailAddress }) => emailAddress ?? []).join();
  });
const people = (...names: string[]) => `email\n${names.map((name) => `${name}@example.com\n`).join('')}`;
const hashed = (...names: string[]) => names.map((name) => hash(`${name}@example.com`)).sort();

describe('an audience at Google', () => {
  let audienceId: number;
  let connectionId: string;
  let outputId: string;

  it('is made, filled with hashes as Google wants them, and waits for what Google says of them', async () => {
    const file = [
      HEADER,
      ' Ada.Love+news@Gmail.com ,(202) 555-0101,Ada,Lovelace,NY,10001',
      `bob@example.com,,,,,`,
      ',,Cy,Young,New York,501',
    ].join('\n');
    const imported = await drop.importOf<Import>('Spring.csv', file);
    ({ audienceId } = imported);
    expect(imported).toMatchObject({ state: 'published', version: 1 });
    outputId = await outputWith({ serviceAccountKey: tokens.keyFile });
    await ok('POST', `/outputs/${outputId}/check`);
    connectionId = await connect(audienceId, outputId);
    await delivered(connectionId, 1);
    const listId = listNamed('Spring');
    expect(google.lists.get(listId)).toMatchObject({ membershipDuration: '2592000s' });
    const address = (given: string, family: string, postalCode: string) => ({
      address: { givenName: hash(given), familyName: hash(family), regionCode: 'US', postalCode },
    });
    expect(google.membersOf(listId).map((text) => JSON.parse(text) as unknown)).toEqual(
      expect.arrayContaining([
        [
          { emailAddress: hash('adalove@gmail.com') },
          { phoneNumber: hash('+12025550101') },
          address('ada', 'lovelace', '10001'),
        ],
        [{ emailAddress: hash('bob@example.com') }],
        [address('cy', 'young', '00501')],
      ]),
    );
    expect(await lastDelivery(connectionId)).toMatchObject({ planned: 3, accepted: 3, rejected: 0 });
    // One token for everything: the check, the list, the upload and the looks at it.
    expect(tokens.given).toEqual([JWT_BEARER]);
  }, 180_000);

  it('loses whoever leaves it, and has its new name', async () => {
    await drop.importOf<Import>(
      'Spring.csv',
      `${HEADER}\nbob@example.com,,,,,\nada.love+news@gmail.com,,,,,\n`,
    );
    await ok('PATCH', `/audiences/${audienceId}`, { externalName: 'Summer' });
    await until(
      'Cy is gone and the name is known',
      () => {
        const listId = listNamed('Summer');
        return google.lists.has(listId) && google.membersOf(listId).length === 2;
      },
      WITHIN_MS,
    );
    await delivered(connectionId, 2);
    // The name may have come too late for the version's delivery, and have one of its own.
    const last = await until('the last delivery ends', async () => {
      const delivery = await lastDelivery(connectionId);
      return delivery.state === 'delivered' ? delivery : undefined;
    });
    expect(last).toMatchObject({ rejected: 0 });
    expect(google.uploads.filter(({ operation }) => operation === 'remove')).toHaveLength(1);
  }, 180_000);

  it('has its token renewed once where it runs out, whoever needs one', async () => {
    const { audienceId: other } = await drop.importOf<Import>('Autumn.csv', people('dee', 'eve'));
    const otherConnection = await connect(other, outputId);
    await delivered(otherConnection, 1);
    const both = [otherConnection, connectionId];
    const set = (status: string) =>
      Promise.all(both.map((id) => ok('PATCH', `/connections/${id}`, { status })));
    await set('inactive');
    await drop.importOf<Import>('Autumn.csv', people('dee', 'fay'));
    await drop.importOf<Import>('Spring.csv', `${HEADER}\nbob@example.com,,,,,\n,,Gus,Grey,NY,10002\n`);
    const before = tokens.given.length;
    tokens.expireAll();
    await set('active');
    await Promise.all([delivered(otherConnection, 2), delivered(connectionId, 3)]);
    expect(tokens.given.slice(before)).toEqual([JWT_BEARER]);
    expect(emailsIn(listNamed('Autumn')).sort()).toEqual(hashed('dee', 'fay'));
  }, 180_000);
});

describe('what Google refuses', () => {
  it('for want of consent stops the connection; once it is set, Resume sends the upload anew', async () => {
    outcome = (_, { consent, audienceMembers = [] }) =>
      consent?.adUserData === 'CONSENT_GRANTED'
        ? undefined
        : {
            status: 'FAILED',
            reasons: { PROCESSING_ERROR_REASON_DENIED_CONSENT: audienceMembers.length },
          };
    const { audienceId } = await drop.importOf<Import>('Winter.csv', people('hal', 'ida'));
    const outputId = await outputWith(tokens.user);
    const connectionId = await connect(audienceId, outputId);
    const fault = await faultOf(connectionId);
    expect(fault).toMatchObject({ kind: 'config', code: 'CONSENT_MISSING' });
    expect(emailsIn(listNamed('Winter'))).toEqual([]);
    expect(tokens.given.at(-1)).toBe('refresh_token');

    const { settings } = await ok<{ settings: object }>('GET', `/outputs/${outputId}`);
    await ok('PATCH', `/outputs/${outputId}`, { settings: { ...settings, adUserData: 'granted' } });
    await ok('POST', `/faults/${fault.id}/resume`);
    await delivered(connectionId, 1);
    expect(emailsIn(listNamed('Winter'))).toEqual(hashed('hal', 'ida'));
    expect(await lastDelivery(connectionId)).toMatchObject({
      planned: 2,
      accepted: 2,
      rejected: 0,
      skipped: 0,
    });

    // The list is deleted at Google: Resume makes another one and sends everybody.
    const before = listNamed('Winter');
    google.lists.delete(before);
    await drop.importOf<Import>('Winter.csv', people('hal', 'ida', 'joe'));
    const gone = await faultOf(connectionId);
    expect(gone).toMatchObject({ kind: 'config', code: 'LIST_GONE' });
    await ok('POST', `/faults/${gone.id}/resume`);
    await delivered(connectionId, 2);
    expect(listNamed('Winter')).not.toBe(before);
    expect(emailsIn(listNamed('Winter')).sort()).toEqual(hashed('hal', 'ida', 'joe'));
  }, 240_000);

  it('without saying whom is counted, and an erasure does not take it for done', async () => {
    const rejecting = (count: number): Outcome => ({
      status: 'PARTIAL_SUCCESS',
      reasons: { PROCESSING_ERROR_REASON_INVALID_FORMAT: count },
    });
    outcome = () => rejecting(1);
    const { audienceId } = await drop.importOf<Import>('Mixed.csv', people('kim', 'lee', 'mia'));
    const connectionId = await connect(audienceId, await outputWith(tokens.user));
    await delivered(connectionId, 1);
    const first = await lastDelivery(connectionId);
    expect(first).toMatchObject({ planned: 3, accepted: 2, rejected: 1, skipped: 0 });
    const { items } = await ok<{ items: unknown[] }>('GET', `/deliveries/${first.id}/outcomes`);
    expect(items).toMatchObject([{ mpid: null, count: 1, status: 'rejected', code: 'INVALID_FORMAT' }]);

    const { id } = await ok<Erasure>('POST', '/erasures', {
      workspaceId: drop.workspaceId,
      identities: ['kim', 'lee'].map((name) => ({ type: 'email', value: `${name}@example.com` })),
    });
    const { receipts } = await untilErasure(drop.hub, id, 'done');
    expect(receipts).toMatchObject([
      {
        connectionId,
        state: 'answered',
        sent: 2,
        accepted: 1,
        rejected: 1,
        reason: { code: 'REMOVE_REFUSED' },
      },
    ]);
  }, 240_000);

  it('of the grant stops the connection, and new credentials and Resume go on', async () => {
    const { audienceId } = await drop.importOf<Import>('Late.csv', people('ned', 'oda'));
    const outputId = await outputWith({ ...tokens.user, refreshToken: 'another' });
    const connectionId = await connect(audienceId, outputId);
    const fault = await faultOf(connectionId);
    expect(fault).toMatchObject({ kind: 'auth', code: 'OAUTH_REFUSED' });
    expect(fault.message).not.toMatch(/client-secret|another/);
    await ok('PATCH', `/outputs/${outputId}`, { credentials: tokens.user });
    await ok('POST', `/faults/${fault.id}/resume`);
    await delivered(connectionId, 1);
    expect(emailsIn(listNamed('Late')).sort()).toEqual(hashed('ned', 'oda'));
  }, 180_000);
});
