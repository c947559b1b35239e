import { describe, expect, it } from '@jest/globals';
import { CallEnds } from './call-ends.js';

const opened = () => {
  const parent = new AbortController();
  return { parent, ends: new CallEnds(parent.signal) };
};

describe('what ends a call', () => {
  it('serves the next call once the first is over', () => {
    const { ends } = opened();
    const [one, other] = [ends.begin(), ends.begin()];
    expect(other).not.toBe(one);
    ends.end(one);
    expect(ends.begin()).toBe(one);
  });

  it('serves nobody else where the call was ended by it', () => {
    const { ends } = opened();
    const call = ends.begin();
    call.abort();
    ends.end(call);
    expect(ends.begin()).not.toBe(call);
  });

  it('serves nobody else while somebody still waits for its end, who is not told of other calls', () => {
    const { parent, ends } = opened();
    const call = ends.begin();
    let isTold = false;
    call.signal.addEventListener('abort', () => (isTold = true));
    ends.end(call);
    expect(ends.begin()).not.toBe(call);
    parent.abort();
    expect(isTold).toBe(false);
  });

  it('is told to all calls under way, with the reason, and to none that is over', () => {
    const { parent, ends } = opened();
    const [over, one, other] = [ends.begin(), ends.begin(), ends.begin()];
    ends.end(over);
    parent.abort(new Error('enough'));
    const reasons = [one, other].map(({ signal }) => (signal.reason as Error).message);
    expect([over.signal.aborted, ...reasons]).toEqual([false, 'enough', 'enough']);
  });
});
