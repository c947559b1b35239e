import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { memberRowsOf } from '../../../test/support/member-rows.js';
import type { OutputMember, RowColumn } from '../../kit/index.js';
import { asBatch, MemberChunker, MemberList } from './index.js';

const people = Array.from({ length: 7 }, (_, index): OutputMember => ({
  mpid: String(index * 3 - 9),
  identities: {
    email: [`p${index}@example.com`],
    ...(index % 2 === 0 ? { phone: [`+1202555010${index}`] } : {}),
  },
}));

/** Lists of two members each, of one habit. */
const listsOf = (rows = memberRowsOf(people)) => {
  const chunker = new MemberChunker({ batchSize: 2 });
  return [...chunker.push(rows), ...chunker.flush()].map(({ members }) => members);
};
/** Rows whose memory is nobody else's, and can be given back. */
const pageOfItsOwn = () => {
  const rows = memberRowsOf(people);
  const { buffer } = new Uint8Array(rows.owners);
  const free = () => void structuredClone(buffer, { transfer: [buffer] });
  return { rows: { ...rows, owners: Buffer.from(buffer) }, free };
};
const parsed = (json: Buffer) => JSON.parse(json.toString('utf8')) as unknown;
const COLUMNS: readonly RowColumn[] = [
  { type: 'email', empty: '""' },
  { type: 'phone', empty: '""' },
];
const rowsIn = async (list: Pick<MemberList, 'rowsJson'>, most = 1000) => {
  const arrays = await list.rowsJson(COLUMNS, { most });
  return arrays.map(({ data, size, owners }) => ({ data: parsed(data.take()), size, owners }));
};

describe('MemberList', () => {
  it('gives the same members however and however often it is asked, made ready before or not', async () => {
    const asks = fc.array(fc.constantFrom('json', 'objects', 'rows', 'prepare'), { maxLength: 8 });
    await fc.assert(
      fc.asyncProperty(asks, fc.boolean(), async (all, isObjects) => {
        const lists = isObjects ? [MemberList.of(people)] : listsOf();
        const found: OutputMember[] = [];
        for (const [at, list] of lists.entries()) {
          const own = isObjects ? people : people.slice(at * 2, at * 2 + 2);
          const data = own.map(({ identities: { email, phone } }) => [email?.[0] ?? '', phone?.[0] ?? '']);
          const rows = [{ data, size: own.length, owners: own.map((_, index) => index) }];
          for (const ask of all) {
            if (ask === 'prepare') list.prepare();
            if (ask === 'json') expect(parsed(list.json('{"a":', '}'))).toEqual({ a: own });
            if (ask === 'objects') expect(list.members).toEqual(own);
            if (ask === 'rows') expect(await rowsIn(list)).toEqual(rows);
          }
          expect([list.size, list.firstMpid, list.lastMpid]).toEqual([
            own.length,
            own[0]?.mpid,
            own.at(-1)?.mpid,
          ]);
          found.push(...list.members);
        }
        expect(found).toEqual(people);
      }),
    );
  });

  it('makes ready what the lists before it were asked for', () => {
    const { rows, free } = pageOfItsOwn();
    const [first, second, third] = listsOf(rows);
    first?.json();
    second?.prepare();
    // The page is gone by now; what was made ready is not.
    free();
    expect(parsed(second?.json() ?? Buffer.alloc(0))).toEqual(people.slice(2, 4));
    expect(() => third?.json()).toThrow(/settled/);
  });

  it.each([
    ['json', async (list: MemberList) => list.json()],
    ['objects', async (list: MemberList) => list.members],
    ['rows', (list: MemberList) => rowsIn(list)],
  ])('refuses %s once its page is gone, instead of giving nobody', async (_, ask) => {
    const { rows, free } = pageOfItsOwn();
    const [list] = listsOf(rows);
    free();
    await expect(list && ask(list)).rejects.toThrow(/settled/);
  });

  it('makes objects ready where the list before it was asked for objects', () => {
    const { rows, free } = pageOfItsOwn();
    const [first, second] = listsOf(rows);
    expect(first?.members).toEqual(people.slice(0, 2));
    second?.prepare();
    free();
    expect(second?.members).toEqual(people.slice(2, 4));
  });

  it('may be of nobody', async () => {
    const list = MemberList.of([]);
    expect([list.size, list.firstMpid, list.lastMpid, await rowsIn(list)]).toEqual([0, '', '', []]);
  });

  it('writes rows of thousands of members in their order, and lets others have their turn between them', async () => {
    const many = Array.from({ length: 14_500 }, (_, index): OutputMember => ({
      mpid: String(index),
      identities: { email: [`p${index}@example.com`] },
    }));
    const chunker = new MemberChunker({ batchSize: many.length });
    const [page, next] = [memberRowsOf(many.slice(0, 2500)), memberRowsOf(many.slice(2500))];
    const [list] = [...chunker.push(page), ...chunker.push(next)].map(({ members }) => members);
    let turns = 0;
    const othersTurn = () => {
      turns += 1;
      setImmediate(othersTurn);
    };
    const others = setImmediate(othersTurn);
    const arrays = list ? await rowsIn(list, 10_000) : [];
    clearImmediate(others);
    expect(turns).toBeGreaterThan(1);
    expect(arrays.map(({ size }) => size)).toEqual([10_000, 4500]);
    expect(arrays.flatMap(({ data }) => data)).toEqual(many.map((_, index) => [`p${index}@example.com`, '']));
    expect(arrays.flatMap(({ owners }) => owners)).toEqual(many.map((_, index) => index));
  });

  it('is a batch of the same kind as all others, whose functions may be taken out of it', () => {
    const [list] = listsOf();
    if (!list) throw new Error('There is no list.');
    const batch = asBatch(list, { id: 'batch-1', fromVersion: 1, toVersion: 2 });
    expect(Object.getOwnPropertyDescriptor(batch, 'members')).toBeUndefined();
    const taken = { ...batch };
    expect(parsed(Buffer.from(taken.membersJson()))).toEqual(batch.members);
  });

  it('is the same as a batch', async () => {
    const [list] = listsOf();
    if (!list) throw new Error('There is no list.');
    const batch = asBatch(list, { id: 'batch-1', fromVersion: 1, toVersion: 2 });
    const [rows] = await rowsIn(batch);
    expect(batch).toMatchObject({ id: 'batch-1', fromVersion: 1, toVersion: 2, size: 2 });
    expect(rows).toMatchObject({ size: 2, owners: [0, 1] });
    expect(batch.text(8).take('{"a":1}', '').toString()).toBe('{"a":1}');
    expect(parsed(Buffer.from(batch.membersJson('{"a":', '}')))).toEqual({ a: people.slice(0, 2) });
    expect(batch.members).toEqual(people.slice(0, 2));
  });
});
