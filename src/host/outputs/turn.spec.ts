import { setImmediate as turnOfLoop } from 'node:timers/promises';
import { afterEach, describe, expect, it } from '@jest/globals';
import {
  DONE,
  members,
  partner,
  REQUEST,
  SHIPMENT,
  stopPartners,
} from '../../../test/support/partner-line.js';
import { fault } from '../../kit/index.js';
import { MemberList, NotItsTurnError, sendBatch, Turn } from './index.js';

afterEach(stopPartners);

/** A batch that is begun ahead; `steps` says how far its connector is. */
function ahead(turn: Turn, onRequest: () => void = () => undefined) {
  const steps: string[] = [];
  const rig = partner(async (_, __, http) => {
    steps.push('ready');
    await http.request(REQUEST);
    onRequest();
    steps.push('sent');
    return DONE;
  });
  const sent = sendBatch(rig.calls, { ...SHIPMENT, turn }, MemberList.of(members(2)));
  sent.catch(() => undefined);
  return { ...rig, steps, sent };
}

describe('a batch that is begun ahead', () => {
  it('is made ready at once, and sent when its turn comes', async () => {
    const turn = new Turn();
    const { steps, sent, calls } = ahead(turn);
    await turnOfLoop();
    expect([steps, calls.reached]).toEqual([['ready'], false]);
    turn.comes();
    await expect(sent).resolves.toMatchObject({ rejected: [] });
    expect([steps, calls.reached]).toEqual([['ready', 'sent'], true]);
  });

  it('waits for its turn once: later requests and parts of it go at once', async () => {
    const turn = new Turn();
    let refusals = 1;
    const { steps, sent } = ahead(turn, () => {
      if (refusals-- > 0) throw fault.permanent('BAD_ROW', 'One of the two.');
    });
    turn.comes();
    await sent;
    expect(steps).toEqual(['ready', 'ready', 'sent', 'ready', 'sent']);
  });

  it('sends all requests that wait for its turn, where its connector makes several at once', async () => {
    const turn = new Turn();
    let answers = 0;
    const { calls } = partner(async (_, __, http) => {
      await Promise.all([1, 2, 3].map(() => http.request(REQUEST).then(() => (answers += 1))));
      return DONE;
    });
    const sent = sendBatch(calls, { ...SHIPMENT, turn }, MemberList.of(members(2)));
    await turnOfLoop();
    expect(answers).toBe(0);
    turn.comes();
    await expect(sent).resolves.toMatchObject({ rejected: [] });
    expect(answers).toBe(3);
  });

  it('has sent nothing where its turn never comes, whatever its connector makes of that', async () => {
    const turn = new Turn();
    const { calls, batches } = partner(async (_, __, http) => {
      await http.request(REQUEST).catch(() => {
        throw fault.permanent('BAD_ROW', 'A connector that takes everything for a refusal.');
      });
      return DONE;
    });
    const sent = sendBatch(calls, { ...SHIPMENT, turn }, MemberList.of(members(2)));
    turn.neverComes();
    turn.comes();
    await expect(sent).rejects.toThrow(NotItsTurnError);
    expect([calls.reached, batches.length]).toEqual([false, 1]);
  });

  it('is made ready anew where its turn came long after: what it holds may be too old', async () => {
    const turn = new Turn(-1);
    const { steps, sent, calls } = ahead(turn);
    await turnOfLoop();
    turn.comes();
    await sent;
    expect([steps, calls.reached]).toEqual([['ready', 'ready', 'sent'], true]);
  });

  it('has as long for its own call as any other, however long it waits', async () => {
    const turn = new Turn();
    // The time of a call is 100 ms here.
    const { steps, sent } = ahead(turn);
    await new Promise((resolve) => setTimeout(resolve, 150));
    turn.comes();
    await expect(sent).resolves.toMatchObject({ rejected: [] });
    expect(steps).toEqual(['ready', 'sent']);
  });

  it('ends with the reason of the signal that stops it while it waits', async () => {
    const { steps, sent, stop } = ahead(new Turn());
    await turnOfLoop();
    stop.abort(new Error('The hub shuts down.'));
    await expect(sent).rejects.toThrow('The hub shuts down.');
    expect(steps).toEqual(['ready']);
  });
});

describe('a turn', () => {
  it('comes once or never', async () => {
    const [came, never] = [new Turn(), new Turn()];
    expect([came.cameAtMs, came.cameLate, came.isOver]).toStrictEqual([undefined, false, false]);
    came.comes();
    const { cameAtMs } = came;
    expect(cameAtMs).toBeGreaterThan(0);
    await turnOfLoop();
    came.comes();
    came.neverComes();
    expect([came.cameAtMs, came.cameLate, came.isOver]).toStrictEqual([cameAtMs, false, false]);
    await came.wait();
    never.neverComes();
    never.comes();
    expect([never.cameAtMs, never.cameLate, never.isOver]).toStrictEqual([undefined, false, true]);
    await expect(never.wait()).rejects.toThrow(NotItsTurnError);
  });

  it('is late only for what was ready before', async () => {
    const [unready, ready] = [new Turn(-1), new Turn(-1)];
    unready.comes();
    await unready.wait();
    expect(unready.cameLate).toBe(false);
    const waits = [ready.wait(), ready.wait()];
    ready.comes();
    for (const wait of waits) await expect(wait).rejects.toThrow(NotItsTurnError);
    expect([ready.cameLate, ready.isOver]).toEqual([true, true]);
  });
});
