import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { startDrop, type Drop } from './support/drop.js';
import { Sink } from './support/sink.js';
import { until } from './support/until.js';

interface ImportView {
  state: string;
  audienceId: number;
  warnings: { code: string; message: string }[];
}
interface Profile {
  identities: { type: string; value: string }[];
  attributes: { name: string; value: string }[];
}

let drop: Drop;

beforeAll(async () => {
  drop = await startDrop(undefined, { HUB_ALLOW_PRIVATE_EGRESS: 'true' });
});
afterAll(() => drop?.stop());

const importOf = (name: string, lines: readonly string[]) =>
  drop.importOf<ImportView>(`${name}.csv`, `${lines.join('\n')}\n`);

/** What is known of the members of an audience, by the value of their first identity. */
async function attributesIn(audienceId: number, key?: string) {
  const { items } = await drop.hub.ok<{ items: { mpid: string }[] }>(
    'GET',
    `/audiences/${audienceId}/members`,
  );
  const found: Record<string, Record<string, string>> = {};
  for (const { mpid } of items) {
    const path = `/profiles/${mpid}?workspaceId=${drop.workspaceId}`;
    const { identities, attributes } = await drop.hub.ok<Profile>('GET', path, undefined, key);
    found[identities[0]?.value ?? ''] = Object.fromEntries(
      attributes.map(({ name, value }) => [name, value]),
    );
  }
  return found;
}

describe('columns that no identity is made of', () => {
  it('become attributes of the profiles, of which the latest import wins', async () => {
    const first = await importOf('one', [
      'Email,Party,Van ID',
      'ann@example.com,Green,7',
      'bob@example.com,"O\'Neil, ""Bo""",',
      'nobody,Lost,9',
    ]);
    expect(first).toMatchObject({ state: 'published' });
    expect(await attributesIn(first.audienceId)).toEqual({
      'ann@example.com': { Party: 'Green', 'Van ID': '7' },
      'bob@example.com': { Party: 'O\'Neil, "Bo"' },
    });
    // Same members, so nothing is published; another spelling of a header; an empty cell says nothing.
    const again = await importOf('one', [
      'Email,party,VAN_ID',
      'ann@example.com,Blue,',
      'bob@example.com,,8',
    ]);
    expect(again).toMatchObject({ state: 'unchanged' });
    expect(await attributesIn(first.audienceId)).toEqual({
      'ann@example.com': { party: 'Blue', 'Van ID': '7' },
      'bob@example.com': { Party: 'O\'Neil, "Bo"', VAN_ID: '8' },
    });
  });

  it('go to the person of a row that has several identities', async () => {
    const { audienceId } = await importOf('several', [
      'Customer ID,Email,Age,Party',
      'c1,ann@example.com,41,Red',
      'c2,,17,',
      'c2,,18,',
    ]);
    expect(await attributesIn(audienceId)).toEqual({
      c1: { Age: '41', Party: 'Red', 'Van ID': '7' },
      c2: { Age: '18' },
    });
  });

  it('are masked for viewers', async () => {
    const viewer = { name: 'viewer', role: 'viewer', workspaceId: drop.workspaceId };
    const { key } = await drop.hub.ok<{ key: string }>('POST', '/api-keys', viewer);
    const { audienceId } = await importOf('masked', ['Email,Nickname', 'eve@example.com,Evangeline']);
    const shown = JSON.stringify(await attributesIn(audienceId, key));
    expect(shown).toContain('Nickname');
    expect(shown).not.toContain('Evangeline');
  });

  it('are shared one by one with outputs that take any, and with no other', async () => {
    const { audienceId } = await importOf('shared', [
      'Email,Hobby,Shoe Size,Income',
      'ida@example.com,"Ships, ""big"" ones",38,9',
      'joe@example.com,,44,8',
      'kay@example.com,Chess,,7',
    ]);
    const { items } = await drop.hub.ok<{ items: object[] }>('GET', `/audiences/${audienceId}/attributes`);
    expect(items).toEqual([
      { name: 'Income', members: 3, coverage: 1 },
      { name: 'Hobby', members: 2, coverage: 2 / 3 },
      { name: 'Shoe Size', members: 2, coverage: 2 / 3 },
    ]);
    const destination = join(drop.hub.dataDir, 'partner');
    await mkdir(destination, { recursive: true });
    const outputOf = async (plugin: string, settings: object, credentials?: object) => {
      const body = { workspaceId: drop.workspaceId, plugin, name: plugin, settings, credentials };
      return (await drop.hub.ok<{ id: string }>('POST', '/outputs', body)).id;
    };
    const path = `/audiences/${audienceId}/connections`;
    const outputId = await outputOf('file', { destination });
    // Off at first; chosen while it is inactive, in a spelling of one's own.
    const { id, attributes } = await drop.hub.ok<{ id: string; attributes: string[] }>('POST', path, {
      outputId,
      status: 'inactive',
    });
    expect(attributes).toEqual([]);
    const chosen = { attributes: ['shoe_size', 'Hobby', 'SHOE SIZE', 'Nobody has it'] };
    const updated = await drop.hub.ok<{ attributes: string[] }>('PATCH', `/connections/${id}`, chosen);
    expect(updated.attributes).toEqual(['shoe_size', 'Hobby', 'Nobody has it']);
    await drop.hub.ok('PATCH', `/connections/${id}`, { status: 'active' });
    await until('it is delivered', async () => {
      const seen = await drop.hub.ok<{ deliveredVersion: number }>('GET', `/connections/${id}`);
      return seen.deliveredVersion === 1;
    });
    const lines = (await readFile(join(destination, 'shared.csv'), 'utf8')).trim().split('\n');
    expect(lines[0]).toBe('mpid,identity_type,identity_value,shoe_size,Hobby,Nobody has it');
    expect(
      lines
        .slice(1)
        .map((line) => line.replace(/^-?\d+,/, ''))
        .sort(),
    ).toEqual([
      'email,ida@example.com,38,"Ships, ""big"" ones",',
      'email,joe@example.com,44,,',
      'email,kay@example.com,,Chess,',
    ]);
    const audit = await drop.hub.ok<{ items: { changes: object }[] }>(
      'GET',
      `/audit?objectId=${id}&action=connection.update`,
    );
    expect(audit.items.map(({ changes }) => changes)).toContainEqual({
      attributes: { from: [], to: ['shoe_size', 'Hobby', 'Nobody has it'] },
    });

    const meta = await outputOf('meta-custom-audiences', { adAccountId: '123' }, { accessToken: 'no-token' });
    const refused = { outputId: meta, status: 'inactive', attributes: ['Hobby'] };
    expect(await drop.hub.api('POST', path, refused)).toMatchObject({
      status: 422,
      body: { code: 'ATTRIBUTES_REFUSED', detail: expect.stringContaining('takes identities only') },
    });
    expect((await drop.hub.api('POST', path, { ...refused, attributes: [] })).status).toBe(201);
    expect((await drop.hub.api('POST', path, { ...refused, attributes: [' '] })).status).toBe(400);
  });

  it('are bounded in number and length, and the import says what it left out', async () => {
    const names = Array.from({ length: 52 }, (_, index) => `Extra ${index + 1}`);
    const values = names.map((_, index) => (index === 0 ? 'x'.repeat(501) : `v${index + 1}`));
    const view = await importOf('wide', [`Email,${names.join(',')}`, `kim@example.com,${values.join(',')}`]);
    expect(view.warnings).toEqual([
      {
        code: 'ATTRIBUTES_LEFT_OUT',
        message: expect.stringContaining('2 columns were left out: column 52 "Extra 51"'),
      },
      {
        code: 'ATTRIBUTE_TOO_LONG',
        message: expect.stringContaining('1 values were left out of column 2 "Extra 1"'),
      },
    ]);
    const kept = (await attributesIn(view.audienceId))['kim@example.com'] ?? {};
    expect(Object.keys(kept)).toHaveLength(49);
    expect(kept).toMatchObject({ 'Extra 2': 'v2', 'Extra 50': 'v50' });
    expect(JSON.stringify(view.warnings)).not.toContain('xxx');
  });
});

describe('identities that an import teaches people known already', () => {
  it('go to the partners of the other audiences that they are in', async () => {
    const sink = await Sink.start();
    try {
      const { audienceId } = await importOf('buyers', ['Customer ID,Email', 'k1,kim@example.com', 'k2,']);
      const output = await drop.hub.ok<{ id: string }>('POST', '/outputs', {
        workspaceId: drop.workspaceId,
        plugin: 'webhook',
        name: 'Sink',
        settings: { url: sink.url },
        credentials: { secret: 'shared-with-the-sink' },
      });
      const body = { outputId: output.id, status: 'active' };
      const { id } = await drop.hub.ok<{ id: string }>('POST', `/audiences/${audienceId}/connections`, body);
      await until('the members are there', async () => sink.members.size === 2 || undefined);
      await importOf('readers', ['Customer ID,Email', 'k2,kit@example.com', 'k3,kay@example.com']);
      const addresses = await until('the address is there', async () => {
        const all = [...sink.emails.values()].flat().sort();
        return all.length === 2 ? all : undefined;
      });
      expect(addresses).toEqual(['kim@example.com', 'kit@example.com']);
      const deliveries = await until('it is delivered', async () => {
        const { items } = await drop.hub.ok<{
          items: { state: string; planned: number; fromVersion: number }[];
        }>('GET', `/connections/${id}/deliveries`);
        return items.length === 2 && items.every(({ state }) => state === 'delivered') ? items : undefined;
      });
      expect(deliveries.map(({ planned, fromVersion }) => [planned, fromVersion])).toEqual([
        [1, 1],
        [2, 0],
      ]);
    } finally {
      await sink.stop();
    }
  });
});
