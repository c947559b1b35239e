import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { FakeBraze } from '../../plugins/braze/fake-braze.js';
import { FakeFirehose } from '../../plugins/firehose/fake-firehose.js';
import { FakeGoogle } from '../../plugins/google-customer-match/testing/fake-google.js';
import { TokenEndpoint } from '../../plugins/google-customer-match/testing/token-endpoint.js';
import { ACCOUNT, FakeMeta } from '../../plugins/meta-custom-audiences/fake-meta.js';
import { FakeSftpServer } from '../../plugins/sftp/testing/fake-sftp-server.js';
import { type FakePartner, PartnerServer } from '../../src/kit/testing/index.js';
import { RemovalScene } from '../support/removal-scene.js';

/** A plugin as somebody configured it, and what its removals promise. */
interface Case {
  plugin: string;
  as: string;
  settings: () => object;
  credentials: object;
  connection?: object;
  foreseen: { members: string; list: string; because?: string; stays: string[] };
  /** Whom the partner has of all audiences. */
  people: () => unknown;
  /** What the partner has besides afterwards, where the plugin says that something stays. */
  leaves?: () => void;
}

/** Of the audience whose connection is deleted. */
const NAME = 'Going';
const SIZE = 120;

const tokens = new TokenEndpoint();
const partners = {
  meta: new FakeMeta(),
  google: new FakeGoogle({ tokens }),
  braze: new FakeBraze(),
  firehose: new FakeFirehose(),
};
const servers = new Map<FakePartner, PartnerServer>();
const at = (partner: FakePartner) => servers.get(partner)?.url ?? '';
let files: FakeSftpServer;
let scene: RemovalScene;

beforeAll(async () => {
  scene = await RemovalScene.open();
  for (const partner of Object.values(partners)) servers.set(partner, await PartnerServer.start(partner));
  files = await FakeSftpServer.start();
}, 120_000);
afterAll(async () => {
  await scene?.close();
  for (const server of servers.values()) await server.stop();
  await files?.stop();
});

const { meta, google, braze, firehose } = partners;
const metaLists = (subtype: string) => [...meta.audiences.values()].filter((one) => one.subtype === subtype);
const sftpAt = (settings: object) => ({
  host: '127.0.0.1',
  port: files.port,
  username: 'hub',
  hostKeys: [files.hostKey],
  ...settings,
});
const everyFile = () => new Map([...files.files.files].map(([path, body]) => [path, body.toString()]));

/** Who is left of files of changes, by audience: those added and not removed. */
function leftOfChanges(): Record<string, string[]> {
  const left = new Map<string, Set<string>>();
  const rows = Object.entries(files.files.texts()).flatMap(([path, text]) => {
    const [, audience = '', operation] = /([^/_]+)_v\d+-v\d+_(add|remove)_/.exec(path) ?? [];
    return text.split('\n').map((row) => ({ audience, operation, person: row.split(',')[0] ?? '' }));
  });
  for (const { audience, operation, person } of rows)
    if (operation === 'add' && /^\d+$/.test(person))
      left.set(audience, (left.get(audience) ?? new Set()).add(person));
  for (const { audience, operation, person } of rows)
    if (operation === 'remove') left.get(audience)?.delete(person);
  const filled = [...left].filter(([, people]) => people.size > 0);
  return Object.fromEntries(filled.map(([audience, people]) => [audience, [...people].sort()]));
}

/** Marks by user, of those who have any: names of attributes that are true, or what is in the array. */
const marksOf = () =>
  [...braze.users]
    .map(([user, { audiences, ...own }]) => ({
      user,
      marks: audiences ?? Object.keys(own).filter((name) => own[name] === true),
    }))
    .filter(({ marks }) => Array.isArray(marks) && marks.length > 0);

const CASES: Case[] = [
  {
    plugin: 'meta-custom-audiences',
    as: 'a list of changes with a lookalike',
    settings: () => ({ adAccountId: ACCOUNT, endpoint: at(meta) }),
    credentials: { accessToken: 'invented-token' },
    connection: { lookalikeCountry: 'US' },
    foreseen: {
      members: 'with_list',
      list: 'deleted',
      stays: ['A lookalike audience that was made of it stays in the ad account.'],
    },
    people: () => metaLists('CUSTOM'),
    leaves: () => expect(metaLists('LOOKALIKE').filter(({ name }) => name.endsWith(NAME))).toHaveLength(1),
  },
  {
    plugin: 'meta-custom-audiences',
    as: 'a list that is replaced whole',
    settings: () => ({ adAccountId: ACCOUNT, endpoint: at(meta), mode: 'replace' }),
    credentials: { accessToken: 'invented-token' },
    foreseen: { members: 'with_list', list: 'deleted', stays: [] },
    people: () => meta.state(),
  },
  {
    plugin: 'google-customer-match',
    as: 'a list',
    settings: () => ({
      operatingAccountId: '123-456-7890',
      termsAccepted: true,
      statusAfterSeconds: 1,
      endpoint: at(google),
      oauthEndpoint: `${at(google)}/token`,
    }),
    credentials: tokens.user,
    foreseen: { members: 'with_list', list: 'deleted', stays: [] },
    people: () => google.state(),
  },
  {
    plugin: 'braze',
    as: 'an attribute of its own',
    settings: () => ({ endpoint: at(braze), identifyBy: ['email'] }),
    credentials: { apiKey: 'invented-key' },
    foreseen: {
      members: 'removed',
      list: 'kept',
      stays: ['The attribute stays, as false; attributes that were shared keep their values.'],
    },
    people: marksOf,
    leaves: () =>
      expect([...braze.users.values()].filter((attributes) => attributes[NAME] === false)).toHaveLength(SIZE),
  },
  {
    plugin: 'braze',
    as: 'a value in an array',
    settings: () => ({ endpoint: at(braze), identifyBy: ['email'], membership: 'array' }),
    credentials: { apiKey: 'invented-key' },
    foreseen: {
      members: 'removed',
      list: 'kept',
      stays: ['Attributes that were shared keep their values.'],
    },
    people: marksOf,
  },
  {
    plugin: 'firehose',
    as: 'a subscription',
    settings: () => ({ url: at(firehose), accountId: 1 }),
    credentials: { accountSecrets: '{"apiKey":"invented-key"}' },
    foreseen: { members: 'removed', list: 'deleted', stays: [] },
    people: () => firehose.state(),
  },
  {
    plugin: 'firehose',
    as: 'a subscription that was there before',
    settings: () => ({ url: at(firehose), accountId: 1 }),
    credentials: { accountSecrets: '{"apiKey":"invented-key"}' },
    connection: { audienceId: 77 },
    foreseen: {
      members: 'removed',
      list: 'kept',
      because: 'list_not_ours',
      stays: [expect.stringContaining('The list, without the members') as unknown as string],
    },
    people: () => firehose.state(),
  },
  {
    plugin: 'sftp',
    as: 'a file with everybody',
    settings: () => sftpAt({ content: 'members' }),
    credentials: { password: 'invented' },
    foreseen: { members: 'with_list', list: 'deleted', stays: [] },
    people: everyFile,
  },
  {
    plugin: 'sftp',
    as: 'files of changes',
    settings: () => sftpAt({ content: 'changes', directory: '/changes' }),
    credentials: { password: 'invented' },
    foreseen: {
      members: 'removed',
      list: 'deleted',
      stays: ['Files that were written before stay on the server, with the people in them.'],
    },
    people: leftOfChanges,
  },
];

describe.each(CASES)('deleting a connection to $plugin as $as', (one) => {
  it('leaves nobody at the partner but whom the answer told of, and everybody else untouched', async () => {
    const outputId = await scene.output(one.plugin, one.settings(), one.credentials);
    await scene.delivered(await scene.audience('Staying', 101, 140), outputId);
    const before = structuredClone(one.people());
    const id = await scene.delivered(await scene.audience(NAME, 1, SIZE), outputId, {
      settings: one.connection ?? {},
    });
    expect(one.people()).not.toEqual(before);

    const answer = await scene.hub.ok<Awaited<ReturnType<RemovalScene['get']>>>(
      'DELETE',
      `/connections/${id}`,
    );
    expect(answer).toMatchObject({ status: 'removing', removal: one.foreseen });
    const ended = await scene.removed(id);
    const { members, list, because, stays, sharedWith } = answer.removal ?? {};
    expect(ended.removal).toMatchObject({ members, list, because, stays, sharedWith, outcome: 'removed' });
    expect(ended.lastDelivery?.accepted).toBe(members === 'removed' ? SIZE : 0);
    expect(one.people()).toEqual(before);
    one.leaves?.();
  });
});
