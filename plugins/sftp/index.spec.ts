import { describe, expect, it } from '@jest/globals';
import { identitiesOf, limitsOf } from '../../src/kit/index.js';
import { describeOutput } from '../../src/kit/testing/index.js';
import { sftp } from './index.js';
import { FakeSftpServer } from './testing/fake-sftp-server.js';
import { member } from './testing/sftp-rig.js';

/** The stand-in is found by a URL in the contract tests: its fragment is the fingerprint. */
async function standIn() {
  const server = await FakeSftpServer.start();
  return {
    url: `sftp://127.0.0.1:${server.port}/#${server.hostKey}`,
    sends: () => server.steps,
    state: () => server.files.texts(),
    stop: () => server.stop(),
  };
}

for (const content of ['changes', 'members'] as const) {
  describeOutput(
    sftp,
    {
      settings: (url) => ({
        host: new URL(url).hostname,
        port: Number(new URL(url).port),
        username: 'hub',
        hostKeys: url.includes('#') ? [url.slice(url.indexOf('#') + 1)] : [],
        content,
      }),
      credentials: (canary) => ({ password: canary }),
      connection: {},
      member,
      standIn,
    },
    `files of ${content}`,
  );
}

describe('the settings of the SFTP output', () => {
  const base = { host: 'sftp.example.com', username: 'hub' };
  const accepts = (settings: object) => sftp.settings.safeParse({ ...base, ...settings }).success;
  const column = (from: string, more: object = {}) => ({ header: from, from, ...more });

  it.each([
    ['a template that cannot tell batches apart', { fileName: '{audience}_{date}' }],
    ['a template that cannot tell audiences apart', { fileName: '{batch}' }],
    ['a placeholder nobody knows', { fileName: '{audience}_{batch}_{mpid}' }],
    ['a name that leaves the directory', { fileName: '../{audience}_{batch}' }],
    ['a name that begins with a dot', { fileName: '.{audience}_{batch}' }],
    ['a directory that leaves the start', { directory: 'a/../..' }],
    ['a whole state with a batch in its name', { content: 'members', fileName: '{audience}_{batch}' }],
    ['a URL for a host', { host: 'sftp://sftp.example.com' }],
    ['a fingerprint in hex', { hostKeys: ['16:27:ac:a5:76:28:2d:36'] }],
    ['a row per member without columns', { rows: 'member' }],
    ['a row per member without identities', { rows: 'member', columns: [column('mpid')] }],
    ['a row per identity without its value', { columns: [column('mpid')] }],
    ['an identity type in a row per identity', { columns: [column('identity_value'), column('email')] }],
    ['a hash of a hash', { rows: 'member', columns: [column('email_sha256', { encoding: 'sha256' })] }],
    ['a hash of no identity', { columns: [column('identity_value'), column('mpid', { encoding: 'md5' })] }],
    ['a text column without text', { columns: [column('identity_value'), column('text')] }],
  ])('do not take %s', (_, settings) => {
    expect(accepts({})).toBe(true);
    expect(accepts(settings)).toBe(false);
  });

  it('say which identities the columns leave, and how many members a file holds', () => {
    const settings = sftp.settings.parse({
      ...base,
      rows: 'member',
      columns: [column('email'), column('email', { encoding: 'sha256' }), column('phone')],
      membersPerFile: 10,
    });
    expect(identitiesOf(sftp, settings).map(({ type }) => type)).toEqual(['email', 'phone']);
    expect(limitsOf(sftp, settings).batchSize).toBe(10);
  });

  it('have no two columns of one name', () => {
    const problem = (name: string, more: object = {}) =>
      sftp.attributeProblem?.(name, sftp.settings.parse({ ...base, ...more }));
    expect(problem('Party')).toBeUndefined();
    expect(problem('MPID')).toContain('column of the files');
    const columns = [{ header: 'EMAIL1', from: 'identity_value' as const }];
    expect([problem('mpid', { columns }), problem('email1', { columns })]).toEqual([
      undefined,
      expect.stringContaining('column of the files'),
    ]);
  });

  it('want a password or a key', () => {
    expect(sftp.credentials.safeParse({}).success).toBe(false);
    expect(sftp.credentials.safeParse({ password: 'x', passphrase: 'y' }).success).toBe(false);
  });
});
