import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { memberRowsOf } from '../../../test/support/member-rows.js';
import type { OutputMember } from '../../kit/index.js';
import { MemberChunker } from './index.js';

const member = (mpid: number, bytes: number): OutputMember => ({
  mpid: String(mpid),
  identities: bytes === 0 ? {} : { email: ['x'.repeat(bytes)] },
});

/** A chunk, with its members as objects. */
interface Chunk {
  firstMpid: string;
  lastMpid: string;
  members: readonly OutputMember[];
  skipped: string[];
}

/** Chunks of `members`, handed over in pages of `pageSize`. */
function chunksOf(
  members: readonly OutputMember[],
  limits: { batchSize: number; batchBytes?: number },
  pageSize: number,
): Chunk[] {
  const chunker = new MemberChunker(limits);
  const chunks: Chunk[] = [];
  for (let at = 0; at < members.length; at += pageSize) {
    for (const chunk of chunker.push(memberRowsOf(members.slice(at, at + pageSize))))
      chunks.push(read(chunk));
  }
  return [...chunks, ...chunker.flush().map(read)];
}

function read(chunk: ReturnType<MemberChunker['flush']>[number]): Chunk {
  return { ...chunk, members: chunk.members.members };
}

const anyMembers = fc
  .array(fc.nat({ max: 12 }), { maxLength: 60 })
  .map((sizes) => sizes.map((bytes, index) => member(index, bytes)));
const anyLimits = fc.record(
  { batchSize: fc.integer({ min: 1, max: 9 }), batchBytes: fc.integer({ min: 1, max: 40 }) },
  { requiredKeys: ['batchSize'] },
);

describe('MemberChunker', () => {
  it('loses nobody, keeps the order, and keeps to the limits', () => {
    fc.assert(
      fc.property(anyMembers, anyLimits, fc.integer({ min: 1, max: 70 }), (members, limits, pageSize) => {
        const chunks = chunksOf(members, limits, pageSize);
        const sent = chunks.flatMap((chunk) => chunk.members);
        const skipped = chunks.flatMap((chunk) => chunk.skipped);
        expect(sent).toEqual(members.filter(({ identities }) => identities.email));
        expect(skipped).toEqual(
          members.filter(({ identities }) => !identities.email).map(({ mpid }) => mpid),
        );
        for (const chunk of chunks) {
          const bytes = chunk.members.reduce(
            (sum, { identities }) => sum + (identities.email?.[0]?.length ?? 0),
            0,
          );
          expect(chunk.members.length).toBeLessThanOrEqual(limits.batchSize);
          const tooLarge = limits.batchBytes !== undefined && bytes > limits.batchBytes;
          expect(tooLarge && chunk.members.length > 1).toBe(false);
        }
      }),
    );
  });

  it('ends chunks at the same members from the end of any chunk on, whatever the pages', () => {
    fc.assert(
      fc.property(
        anyMembers,
        anyLimits,
        fc.integer({ min: 1, max: 70 }),
        fc.integer({ min: 1, max: 70 }),
        fc.nat(),
        (members, limits, pageSize, otherPageSize, pick) => {
          const chunks = chunksOf(members, limits, pageSize);
          if (chunks.length === 0) return;
          const done = pick % chunks.length;
          const last = Number(chunks[done]?.lastMpid);
          const again = chunksOf(members.slice(last + 1), limits, otherPageSize);
          expect(again).toEqual(chunks.slice(done + 1));
        },
      ),
      { numRuns: 500 },
    );
  });

  it('sends a member alone that is over the byte limit', () => {
    const chunks = chunksOf(
      [member(1, 3), member(2, 50), member(3, 3)],
      { batchSize: 10, batchBytes: 10 },
      10,
    );
    expect(chunks.map((chunk) => chunk.members.length)).toEqual([1, 1, 1]);
  });

  it('fills a chunk up to the byte limit, and to the very byte', () => {
    const five = [1, 2, 3, 4, 5].map((mpid) => member(mpid, 5));
    const sizes = (batchBytes: number) =>
      chunksOf(five, { batchSize: 10, batchBytes }, 10).map((chunk) => chunk.members.length);
    expect([sizes(9), sizes(10), sizes(14), sizes(25)]).toEqual([[1, 1, 1, 1, 1], [2, 2, 1], [2, 2, 1], [5]]);
  });

  it('closes a chunk at ten thousand whom nothing is known of', () => {
    const nobody = Array.from({ length: 10_001 }, (_, index) => member(index - 3, 0));
    const bounds = chunksOf(nobody, { batchSize: 10 }, 7000).map((chunk) => [
      chunk.firstMpid,
      chunk.lastMpid,
      chunk.skipped.length,
    ]);
    expect(bounds).toEqual([
      ['-3', '9996', 10_000],
      ['9997', '9997', 1],
    ]);
  });

  it.each([
    ['nobody to send', [0, 0, 0]],
    ['those to send in front', [1, 1, 0, 0, 0]],
    ['those to send at the end', [0, 0, 0, 1, 1]],
    ['those to send between', [0, 1, 0]],
  ])('says who is the first and who the last in a chunk with %s', (_, sizes) => {
    // As numbers and not as texts: '9' comes behind '10'.
    const people = sizes.map((bytes, index) => member(index + 9, bytes));
    const chunks = chunksOf(people, { batchSize: 10 }, 2);
    expect(chunks.map(({ firstMpid, lastMpid }) => [firstMpid, lastMpid])).toEqual([
      ['9', String(8 + sizes.length)],
    ]);
  });
});
