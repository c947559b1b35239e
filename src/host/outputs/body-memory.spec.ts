import { describe, expect, it } from '@jest/globals';
import { memberRowsOf } from '../../../test/support/member-rows.js';
import { BodyMemory } from './body-memory.js';
import { MemberChunker, settleWhenWritten } from './index.js';

const KIB = 1024;

describe('BodyMemory', () => {
  it('lends what was given back, where it is large enough', () => {
    const memory = new BodyMemory();
    const small = memory.lend(KIB);
    const large = memory.lend(4 * KIB);
    expect([small.length, large.length]).toEqual([KIB, 4 * KIB]);
    memory.giveBack(small);
    memory.giveBack(large);
    expect(memory.lend(2 * KIB)).toBe(large);
    // What was too small once is not kept.
    expect(memory.lend(KIB)).not.toBe(small);
  });

  it('never lends to two at once', () => {
    const memory = new BodyMemory();
    const lent = Array.from({ length: 20 }, () => memory.lend(KIB));
    for (const one of lent) memory.giveBack(one);
    const again = Array.from({ length: 20 }, () => memory.lend(KIB));
    expect(new Set(again).size).toBe(20);
  });

  it('keeps eight to spare', () => {
    const memory = new BodyMemory();
    const lent = Array.from({ length: 10 }, () => memory.lend(KIB));
    for (const one of lent) memory.giveBack(one);
    const again = Array.from({ length: 10 }, () => memory.lend(KIB));
    expect(again.filter((one) => lent.includes(one))).toHaveLength(8);
  });

  it('spares none for what was too small once', () => {
    const memory = new BodyMemory();
    const small = Array.from({ length: 8 }, () => memory.lend(KIB));
    const large = memory.lend(2 * KIB);
    for (const one of [...small, large]) memory.giveBack(one);
    expect(memory.lend(KIB)).toBe(large);
  });

  it('never lends what is too small, and has new memory as large as any before', () => {
    const memory = new BodyMemory();
    memory.giveBack(memory.lend(KIB));
    const large = memory.lend(4 * KIB);
    expect(large).toHaveLength(4 * KIB);
    expect(memory.lend(KIB)).toHaveLength(4 * KIB);
    memory.giveBack(large);
    expect(memory.lend(2 * KIB)).toBe(large);
  });

  it('keeps memory of up to sixteen megabytes, and lends more without keeping it', () => {
    const memory = new BodyMemory();
    const largest = memory.lend(2 ** 24);
    memory.giveBack(largest);
    expect(memory.lend(KIB)).toBe(largest);
    expect(memory.lend(2 ** 24 + 1)).toHaveLength(2 ** 24 + 1);
  });

  it('keeps no memory that hardly any body needs', () => {
    const memory = new BodyMemory();
    const huge = memory.lend(2 ** 25);
    memory.giveBack(huge);
    expect(memory.lend(KIB)).not.toBe(huge);
  });
});

describe('the bodies of a delivery', () => {
  const people = Array.from({ length: 6 }, (_, index) => ({
    mpid: String(index),
    identities: { email: [`p${index}@example.com`] },
  }));
  const lists = () => {
    const chunker = new MemberChunker({ batchSize: 2 });
    return [...chunker.push(memberRowsOf(people)), ...chunker.flush()].map(({ members }) => members);
  };

  it('stand in memory of their own until the partner has answered, and then in that of those before', () => {
    const [first, second, third] = lists();
    const bodies = [first?.json('{"a":', '}'), second?.json('{"b":', '}')];
    const texts = bodies.map((body) => body?.toString());
    expect(bodies[0]?.buffer).not.toBe(bodies[1]?.buffer);
    second?.settle();
    third?.prepare();
    expect(third?.json('{"c":', '}').buffer).toBe(bodies[1]?.buffer);
    // The first one is still under way.
    expect(bodies[0]?.toString()).toBe(texts[0]);
  });

  it('are not written over before they have left the process, whatever the partner has answered', async () => {
    const [first, second] = lists();
    const body = first?.json();
    let leave = (): void => undefined;
    const gone = new Promise<void>((resolve) => (leave = resolve));
    if (first) settleWhenWritten(first, { written: () => gone });
    expect(second?.json().buffer).not.toBe(body?.buffer);
    leave();
    await gone;
    expect(second?.json().buffer).toBe(body?.buffer);
  });

  it('are not written over after a failure, which may come while a request is still on its way', () => {
    const [first, second] = lists();
    const body = first?.json();
    const again = first?.json();
    expect(again?.buffer).not.toBe(body?.buffer);
    expect(second?.json().buffer).not.toBe(body?.buffer);
    expect(again?.equals(body ?? Buffer.alloc(0))).toBe(true);
  });

  it('never share memory that one of them outgrew', () => {
    const [first] = lists();
    const piece = 'x'.repeat(2 ** 16);
    const text = first?.text();
    // More than the largest memory that is kept.
    for (let bytes = 0; bytes <= 2 ** 24; bytes += piece.length) text?.add(piece);
    expect(text?.take()).toHaveLength(2 ** 24 + piece.length);
    first?.settle();
    const [one, other] = [first?.text(), first?.text()];
    expect(one?.take('1').buffer).not.toBe(other?.take('2').buffer);
  });

  it('are given back once, however often the batch is settled', () => {
    const [first, second, third] = lists();
    first?.json();
    first?.settle();
    first?.settle();
    expect(second?.json().buffer).not.toBe(third?.json().buffer);
  });
});
