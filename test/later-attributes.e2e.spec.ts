import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { startDrop, type Drop } from './support/drop.js';
import { Sink } from './support/sink.js';
import { until } from './support/until.js';

interface Connection {
  id: string;
  attributes: string[];
  backfillPending: boolean;
  deliveredVersion: number;
  openFault: { id: string } | null;
}
interface Delivery {
  state: string;
  operation: string;
  planned: number;
}

let drop: Drop;
let sink: Sink;

beforeAll(async () => {
  drop = await startDrop(undefined, { HUB_ALLOW_PRIVATE_EGRESS: 'true', HUB_SWEEP_MS: '500' });
}, 120_000);
afterAll(() => drop?.stop());
beforeEach(async () => {
  sink = await Sink.start();
});
afterEach(() => sink.stop());

const ROWS = [
  'Email,Party,Hobby',
  'ann@example.com,Green,Chess',
  'ben@example.com,Blue,',
  'cat@example.com,,Ships',
];
const PARTIES = {
  'ann@example.com': { Party: 'Green' },
  'ben@example.com': { Party: 'Blue' },
  'cat@example.com': {},
};

async function connect(name: string, status: 'active' | 'inactive', settings: object = {}): Promise<string> {
  const { audienceId } = await drop.importOf<{ state: string; audienceId: number }>(
    `${name}.csv`,
    `${ROWS.join('\n')}\n`,
  );
  const output = await drop.hub.ok<{ id: string }>('POST', '/outputs', {
    workspaceId: drop.workspaceId,
    plugin: 'webhook',
    name,
    settings: { url: sink.url, ...settings },
    credentials: { secret: 'shared-with-the-sink' },
  });
  const body = { outputId: output.id, status };
  return (await drop.hub.ok<{ id: string }>('POST', `/audiences/${audienceId}/connections`, body)).id;
}

const change = (id: string, body: object) => drop.hub.ok<Connection>('PATCH', `/connections/${id}`, body);
const connection = (id: string) => drop.hub.ok<Connection>('GET', `/connections/${id}`);
const deliveriesOf = async (id: string) =>
  (await drop.hub.ok<{ items: Delivery[] }>('GET', `/connections/${id}/deliveries`)).items;

/** Resolves when so many deliveries are through and no other is to come. */
const settled = (id: string, many: number) =>
  until(`${many} deliveries are through, and nothing is pending`, async () => {
    const all = await deliveriesOf(id);
    const { backfillPending } = await connection(id);
    return all.length >= many && !backfillPending && all.every(({ state }) => state === 'delivered')
      ? all
      : undefined;
  });

const atPartner = () =>
  Object.fromEntries(
    [...sink.emails].map(([mpid, [email = '']]) => [email, sink.attributes.get(mpid) ?? {}]),
  );

describe('attributes that are chosen later for a connection', () => {
  it('go out by themselves, once, to the members who are there', async () => {
    const id = await connect('later', 'active');
    await settled(id, 1);
    expect(atPartner()).toEqual({ 'ann@example.com': {}, 'ben@example.com': {}, 'cat@example.com': {} });
    expect(await change(id, { attributes: ['Party'] })).toMatchObject({ backfillPending: true });
    const [last] = await settled(id, 2);
    expect(last).toMatchObject({ operation: 'add_again', planned: 3 });
    expect(atPartner()).toEqual(PARTIES);
    expect(await change(id, { attributes: ['Party', 'Hobby'] })).toMatchObject({ backfillPending: true });
    await settled(id, 3);
    expect(atPartner()).toMatchObject({ 'ann@example.com': { Party: 'Green', Hobby: 'Chess' } });
    expect(sink.batches.map(({ mpids }) => mpids.length)).toEqual([3, 3, 3]);
  });

  it('are no reason to send anybody where none came to those that were chosen before', async () => {
    const id = await connect('fewer', 'active');
    await settled(id, 1);
    await change(id, { attributes: ['Party', 'Hobby'] });
    await settled(id, 2);
    for (const attributes of [['Hobby', 'Party'], ['Hobby', 'Party', 'HOBBY'], ['Hobby'], []]) {
      expect(await change(id, { attributes })).toMatchObject({ backfillPending: false });
    }
    expect(await change(id, { settings: {} })).toMatchObject({ backfillPending: false });
    // The partner has it under the name that was chosen, and under another one not yet.
    expect(await change(id, { attributes: ['party'] })).toMatchObject({ backfillPending: true });
    await settled(id, 3);
    expect(atPartner()).toMatchObject({ 'ann@example.com': { party: 'Green' } });
  });

  it('go with the first delivery where that is still to come', async () => {
    const id = await connect('first', 'inactive');
    expect(await change(id, { attributes: ['Party'] })).toMatchObject({ backfillPending: false });
    await change(id, { status: 'active' });
    await settled(id, 1);
    expect(atPartner()).toEqual(PARTIES);
    expect(sink.batches).toHaveLength(1);
  });

  it('go to those whom the first delivery had sent already, once it is through', async () => {
    sink.failure = (batch, event) =>
      event === 'audience.members' && batch > 1 ? { status: 401 } : undefined;
    const id = await connect('begun', 'active', { batchSize: 1 });
    const fault = await until('it is stopped', async () => (await connection(id)).openFault ?? undefined);
    expect(sink.members.size).toBe(1);
    expect(await change(id, { attributes: ['Party'] })).toMatchObject({
      backfillPending: true,
      deliveredVersion: 0,
    });
    const plan = await drop.hub.ok<{ operations: object[] }>('POST', `/connections/${id}/plan`);
    expect(plan.operations.at(-1)).toMatchObject({ operation: 'add_again', members: 3 });
    sink.failure = () => undefined;
    await drop.hub.ok('POST', `/faults/${fault.id}/resume`);
    await settled(id, 2);
    expect(atPartner()).toEqual(PARTIES);
  });

  it('wait with a connection that is paused', async () => {
    const id = await connect('paused', 'active');
    await settled(id, 1);
    await change(id, { status: 'inactive' });
    expect(await change(id, { attributes: ['Party'] })).toMatchObject({ backfillPending: true });
    expect(await deliveriesOf(id)).toHaveLength(1);
    await change(id, { status: 'active' });
    await settled(id, 2);
    expect(atPartner()).toEqual(PARTIES);
  });

  it('are chosen and sent, or neither', async () => {
    const id = await connect('both', 'active');
    await settled(id, 1);
    sink.failure = () => ({ status: 401 });
    await drop.hub.ok('POST', `/connections/${id}/reconcile`, { backfill: true });
    const fault = await until('it is stopped', async () => (await connection(id)).openFault ?? undefined);
    await change(id, { status: 'inactive' });
    // What a fault stopped is not activated, so nothing of the change happens.
    const both = { attributes: ['Party'], status: 'active' };
    expect(await drop.hub.api('PATCH', `/connections/${id}`, both)).toMatchObject({ status: 409 });
    sink.failure = () => undefined;
    await drop.hub.ok('POST', `/faults/${fault.id}/resume`);
    await change(id, { status: 'active' });
    await settled(id, 2);
    expect(await deliveriesOf(id)).toHaveLength(2);
    expect((await connection(id)).attributes).toEqual([]);
  });

  it('are refused of a connection that is being removed', async () => {
    const id = await connect('gone', 'active');
    await settled(id, 1);
    sink.failure = () => ({ status: 401 });
    await drop.hub.ok('DELETE', `/connections/${id}`);
    const change = { attributes: ['Party'] };
    expect(await drop.hub.api('PATCH', `/connections/${id}`, change)).toMatchObject({ status: 409 });
    expect(await connection(id)).toMatchObject({ attributes: [], backfillPending: false });
  });
});
