import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { normalise } from '../../../domain/identities/index.js';
import { explainRows } from './preflight.js';
import type { RowExplanation } from './report.js';
import { IDS_ONLY, Scratch, WITH_HEADER } from './scratch.suite.js';

let scratch: Scratch;
beforeAll(async () => {
  scratch = await Scratch.open();
});
afterAll(() => scratch.close());

const never = () => new AbortController().signal;

async function explain(content: string, shape = WITH_HEADER): Promise<RowExplanation> {
  const report = await scratch.usable(content, shape);
  const request = await scratch.request(content, shape);
  return explainRows({ ...request, report, defaultRegion: 'US' }, never());
}

describe('records without a valid identity', () => {
  it('are counted by the first reason, with row, column and masked value', async () => {
    const found = await explain(
      'email,phone\na@example.com,\nnobody,12\n,\n\nb@example.com,12\n"x\ny@",\nshort\n',
    );
    expect(found.rejectedByReason).toEqual({ EMAIL_INVALID: 2, NO_IDENTITY: 1 });
    expect(found.ignoredCells).toEqual({ PHONE_INVALID: 1 });
    expect(found.problems).toMatchObject([
      { row: 3, line: 3, column: 'email', code: 'EMAIL_INVALID', value: 'n***(6)' },
      { row: 4, line: 4, column: null, code: 'NO_IDENTITY', value: null },
      { row: 7, line: 7, column: 'email', code: 'EMAIL_INVALID', value: 'x***(4)' },
    ]);
  });

  it('are written behind what the preflight rejected, once however often it runs', async () => {
    const content = 'email\na@example.com\n=cmd()\nx,y\n';
    const report = await scratch.usable(content, WITH_HEADER);
    const request = { ...(await scratch.request(content, WITH_HEADER)), report };
    await explainRows(request, never());
    await explainRows(request, never());
    const lines = await scratch.rejects();
    expect(lines.map((line) => line.split(',')[2])).toEqual(['TOO_MANY_COLUMNS', 'EMAIL_INVALID']);
    // A spreadsheet must not take the cell for a formula.
    expect(lines[1]).toMatch(/,'=\*\*\*\(6\)$/);
  });

  it('are no blank lines: those of a file of one column are no records', async () => {
    const found = await explain(`a\n\n  \n""\n${'x'.repeat(256)}\n`, IDS_ONLY);
    expect(found.rejectedByReason).toEqual({ CUSTOMER_ID_TOO_LONG: 1 });
  });

  it('hold no value that tells who it is', async () => {
    await explain('email,phone\nann.example.com,555\n');
    expect((await scratch.rejects()).join()).not.toMatch(/ann\./);
  });

  it('are those of which the normalisers say so', async () => {
    const cell = fc.constantFrom(
      '',
      ' ',
      'a@example.com',
      'b@',
      '+12125550123',
      '12',
      'NY',
      'Texas',
      'XX',
      '10001',
      'Ann',
      '-',
    );
    const rows = fc.array(fc.tuple(cell, cell, cell, cell, cell, cell), { minLength: 1, maxLength: 10 });
    await fc.assert(
      fc.asyncProperty(rows, async (cells) => {
        const content = `email,phone,first_name,last_name,zip,state\n${cells.map((row) => row.join(',')).join('\n')}\n`;
        const expected: Record<string, number> = {};
        const { mapping } = await scratch.usable(content, WITH_HEADER);
        for (const row of cells) {
          const found = mapping.identities.map(({ type, columns }) =>
            normalise(
              type,
              columns.map((column) => row[column] ?? ''),
              { defaultRegion: 'US' },
            ),
          );
          if (found.some(({ value }) => value !== '')) continue;
          const code = found.find(({ reason }) => reason !== undefined)?.reason ?? 'NO_IDENTITY';
          expected[code] = (expected[code] ?? 0) + 1;
        }
        expect((await explain(content)).rejectedByReason).toEqual(expected);
      }),
      { numRuns: 60 },
    );
  });
});
