import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { countedRecords, RecordCounter } from './count-records.js';

async function taken(text: string | Buffer, maxRecords: number, chunkBytes = 7): Promise<number> {
  const bytes = Buffer.from(text);
  async function* chunks() {
    for (let at = 0; at < bytes.length; at += chunkBytes) yield bytes.subarray(at, at + chunkBytes);
    await Promise.resolve();
  }
  let size = 0;
  for await (const chunk of countedRecords(chunks(), new RecordCounter(maxRecords))) size += chunk.length;
  return size;
}

describe('counting the records of a file while it is received', () => {
  it('lets a file with as many records as allowed through, whole, however it is cut', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 40 }),
        fc.integer({ min: 1, max: 90 }),
        async (rows, cut) => {
          const text = `Email\n${'ann@example.com\r\n\r\n'.repeat(rows)}`;
          expect(await taken(text, rows, cut)).toBe(text.length);
          await expect(taken(text, rows - 1, cut)).rejects.toMatchObject({
            code: 'BAD_REQUEST',
            status: 400,
          });
        },
      ),
    );
  });

  it('counts on where it left off, as if the file had come in one piece', () => {
    const piece = fc.constantFrom('a', 'b', '"', '\n', '\r', 'PK', '\u00ff');
    fc.assert(
      fc.property(fc.array(piece), fc.array(piece), (before, after) => {
        const [one, other] = [before, after].map((pieces) => Buffer.from(pieces.join(''), 'latin1'));
        const whole = new RecordCounter(1000);
        whole.take(Buffer.concat([one ?? Buffer.alloc(0), other ?? Buffer.alloc(0)]));
        const first = new RecordCounter(1000);
        first.take(one ?? Buffer.alloc(0));
        const second = new RecordCounter(1000, first.state);
        second.take(other ?? Buffer.alloc(0));
        const isText = !/^(?:PK|\u00ff\u00fe|\u00fe\u00ff)/.test([...before, ...after].join(''));
        expect(second.state.start).toBe(whole.state.start);
        if (isText) expect(second.state).toEqual(whole.state);
      }),
    );
  });

  it('takes line ends inside quotes for text', async () => {
    const text = 'Name,Email\n"a\nb\n""c"",\nd",ann@example.com\n';
    expect(await taken(text, 1)).toBe(text.length);
  });

  it('does not count bytes of files that are no text of single bytes', async () => {
    for (const mark of ['PK', '\u00ff\u00fe']) {
      const bytes = Buffer.concat([Buffer.from(mark, 'latin1'), Buffer.from('x\n'.repeat(50))]);
      expect(await taken(bytes, 1, 64)).toBe(bytes.length);
      expect(await taken(bytes, 1, 1)).toBe(bytes.length);
    }
  });

  it('stops soon after the limit', async () => {
    let sent = 0;
    async function* endless() {
      for (;;) {
        sent += 1;
        yield await Promise.resolve(Buffer.from('ann@example.com\n'.repeat(100)));
      }
    }
    const consume = async () => {
      for await (const chunk of countedRecords(endless(), new RecordCounter(1000))) void chunk;
    };
    await expect(consume()).rejects.toMatchObject({ code: 'BAD_REQUEST' });
    expect(sent).toBeLessThan(13);
  });
});
