import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { startDrop, type Drop } from './support/drop.js';
import { Sink } from './support/sink.js';
import { until } from './support/until.js';

interface Import {
  state: string;
  audienceId: number;
}
interface Delivery {
  state: string;
  operation: string;
  planned: number;
}

let drop: Drop;
let sink: Sink;

// A sweep that falls into an import sends what was learned before the version is there.
beforeAll(async () => {
  drop = await startDrop(undefined, { HUB_ALLOW_PRIVATE_EGRESS: 'true', HUB_SWEEP_MS: '3600000' });
}, 120_000);
afterAll(() => drop?.stop());
beforeEach(async () => {
  sink = await Sink.start();
});
afterEach(() => sink.stop());

const importOf = (name: string, lines: readonly string[]) =>
  drop.importOf<Import>(`${name}.csv`, `${lines.join('\n')}\n`);

async function connect(audienceId: number, to: Sink, attributes: string[]): Promise<string> {
  const output = await drop.hub.ok<{ id: string }>('POST', '/outputs', {
    workspaceId: drop.workspaceId,
    plugin: 'webhook',
    name: 'Sink',
    settings: { url: to.url },
    credentials: { secret: 'shared-with-the-sink' },
  });
  const body = { outputId: output.id, status: 'active', attributes };
  const { id } = await drop.hub.ok<{ id: string }>('POST', `/audiences/${audienceId}/connections`, body);
  await delivered(id, 1);
  return id;
}

const deliveriesOf = async (id: string) =>
  (await drop.hub.ok<{ items: Delivery[] }>('GET', `/connections/${id}/deliveries`)).items;

const delivered = (id: string, many: number) =>
  until(`delivery ${many} is through`, async () => {
    const all = await deliveriesOf(id);
    return all.length >= many && all.every(({ state }) => state === 'delivered') ? all : undefined;
  });

/** Attributes that the partner has, by e-mail address. */
const atPartner = (of: Sink) =>
  Object.fromEntries([...of.emails].map(([mpid, [email = '']]) => [email, of.attributes.get(mpid) ?? {}]));

describe('attributes that an import changes of members who stay', () => {
  it('go out to whoever shares them, those members only, and to nobody else', async () => {
    const rows = [
      'Email,Party,Hobby',
      'ann@example.com,Green,Chess',
      'ben@example.com,Blue,',
      'cat@example.com,,',
    ];
    const { audienceId } = await importOf('voters', rows);
    const other = await Sink.start();
    const plain = await Sink.start();
    try {
      const id = await connect(audienceId, sink, ['Party']);
      const hobbies = await connect(audienceId, other, ['Hobby']);
      const bare = await connect(audienceId, plain, []);
      // Another audience's file, so no version says so: one has another value, one a first one, of one it says nothing.
      const again = ['Email,Party', 'ann@example.com,Red', 'ben@example.com,', 'cat@example.com,Green'];
      expect(await importOf('voters-again', again)).toMatchObject({ state: 'published' });
      const all = await delivered(id, 2);
      expect(all[0]).toMatchObject({ operation: 'add_identities', planned: 2 });
      expect(sink.batches.map(({ mpids }) => mpids.length)).toEqual([3, 2]);
      expect(atPartner(sink)).toEqual({
        'ann@example.com': { Party: 'Red' },
        'ben@example.com': { Party: 'Blue' },
        'cat@example.com': { Party: 'Green' },
      });
      // The same values once more, and one that nobody shares.
      await importOf('voters-third', [
        'Email,Party,Shoe',
        'ann@example.com,Red,38',
        'cat@example.com,Green,44',
      ]);
      await importOf('voters-fourth', ['Email,Hobby', 'ben@example.com,Ships']);
      await delivered(hobbies, 2);
      expect(other.batches.map(({ mpids }) => mpids.length)).toEqual([3, 1]);
      expect(await deliveriesOf(id)).toHaveLength(2);
      expect(await deliveriesOf(bare)).toHaveLength(1);
      expect(plain.batches).toHaveLength(1);
    } finally {
      await other.stop();
      await plain.stop();
    }
  });

  it('go out with the version of the same import, behind who came and left', async () => {
    const first = await importOf('members', [
      'Email,Tier',
      'dan@example.com,1',
      'eve@example.com,1',
      'fay@example.com,1',
    ]);
    const id = await connect(first.audienceId, sink, ['Tier']);
    const rows = ['Email,Tier', 'dan@example.com,2', 'eve@example.com,1', 'gil@example.com,3'];
    expect(await importOf('members', rows)).toMatchObject({ state: 'published' });
    const [last] = await delivered(id, 2);
    expect(sink.batches.map(({ operation, mpids }) => [operation, mpids.length])).toEqual([
      ['add', 3],
      ['add', 1],
      ['remove', 1],
      ['add', 1],
    ]);
    expect(last).toMatchObject({ planned: 3 });
    expect(atPartner(sink)).toEqual({
      'dan@example.com': { Tier: '2' },
      'eve@example.com': { Tier: '1' },
      'gil@example.com': { Tier: '3' },
    });
    rows[2] = 'eve@example.com,5';
    expect(await importOf('members', rows)).toMatchObject({ state: 'unchanged' });
    await delivered(id, 3);
    expect(sink.batches.slice(4).map(({ mpids }) => mpids.length)).toEqual([1]);
    expect(atPartner(sink)).toMatchObject({ 'eve@example.com': { Tier: '5' } });
  });
});
