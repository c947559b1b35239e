import { describe, expect, it } from '@jest/globals';
import { PartWatch } from './part-watch.js';

/** A part that answers when it is told to, and the time it lives in. */
function part() {
  const asked: { answer(ok: boolean): void }[] = [];
  let nowMs = 0;
  const ask = () =>
    new Promise<void>((resolve, reject) => {
      asked.push({ answer: (ok) => (ok ? resolve() : reject(new Error('no answer'))) });
    });
  return { asked, watch: new PartWatch(ask, () => nowMs), pass: (ms: number) => void (nowMs += ms) };
}

describe('PartWatch', () => {
  it('asks once for any number of callers, and says what the part said', async () => {
    const { asked, watch } = part();
    const answers = [watch.isWell(), watch.isWell(), watch.isWell()];
    asked[0]?.answer(true);
    expect(await Promise.all(answers)).toEqual([true, true, true]);
    expect(asked).toHaveLength(1);
  });

  it('does not ask again within a second, and does after it', async () => {
    const { asked, watch, pass } = part();
    const first = watch.isWell();
    asked[0]?.answer(true);
    await first;
    pass(999);
    expect(await watch.isWell()).toBe(true);
    expect(asked).toHaveLength(1);
    pass(1);
    const second = watch.isWell();
    asked[1]?.answer(false);
    expect(await second).toBe(false);
  });

  it('gives the last answer at once where the part is busy, and gives the part up after a while', async () => {
    const { asked, watch, pass } = part();
    const first = watch.isWell();
    asked[0]?.answer(true);
    await first;
    pass(5000);
    const begun = performance.now();
    expect(await watch.isWell()).toBe(true);
    expect(performance.now() - begun).toBeLessThan(1000);
    pass(15_000);
    expect(await watch.isWell()).toBe(false);
    asked[1]?.answer(true);
    expect(await watch.isWell()).toBe(true);
  });
});
