import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startDrop, type Drop } from './support/drop.js';
import { until } from './support/until.js';
import { errorCell, number, workbookOf, type TestSheet } from './support/workbook.js';

interface ImportView {
  id: string;
  state: string;
  audienceId: number | null;
  added: number | null;
  removed: number | null;
  rows: Record<string, number>;
  warnings: { code: string; message: string }[];
  error: { code: string; message: string } | null;
}

let drop: Drop;

beforeAll(async () => {
  drop = await startDrop({ defaultPhoneRegion: 'US' });
});
afterAll(() => drop?.stop());

const importOf = (file: string, content: Buffer | string) => drop.importOf<ImportView>(file, content);

const sheet = (rows: TestSheet['rows']) => workbookOf({ sheets: [{ rows }], formats: ['00000'] });

const HEADER = ['Email', 'Phone', 'FirstName', 'LastName', 'mZip5', 'mState'];

describe('a workbook in the drop', () => {
  it('makes the same people as a CSV of what its cells show', async () => {
    const imported = await importOf(
      'people.xlsx',
      await sheet([
        HEADER,
        ['ann@example.com', number('2125550123'), 'Ann', 'Lee', number(2134, 1), 'MA'],
        undefined,
        [undefined, undefined, 'Bob', 'Ray', number(501, 1), 'NY'],
      ]),
    );
    expect(imported).toMatchObject({
      state: 'published',
      added: 2,
      rows: { read: 2, accepted: 2, rejected: 0, created: 2 },
      warnings: [],
    });
    const csv = `${HEADER.join(',')}\nann@example.com,212-555-0123,Ann,Lee,02134,MA\n,,Bob,Ray,00501,NY\n`;
    expect(await importOf('same.csv', csv)).toMatchObject({
      state: 'published',
      rows: { matched: 2, created: 0 },
    });
  });

  it('refreshes its audience, names bad rows by the rows of the sheet and leaves no copy behind', async () => {
    const people = (names: string) => Array.from(names, (name) => [`${name}@example.com`]);
    const first = await importOf('refresh.xlsx', await sheet([['Email'], ...people('abcdef')]));
    const second = await importOf(
      'refresh.xlsx',
      await sheet([
        undefined,
        ['Email'],
        ['a@example.com'],
        undefined,
        [errorCell('#N/A')],
        ['no address'],
        ['c@example.com', 'and more'],
        ...people('cdefg'),
      ]),
    );
    expect(second).toMatchObject({
      state: 'published',
      audienceId: first.audienceId,
      added: 1,
      removed: 1,
      rows: { read: 9, accepted: 6, rejected: 3 },
    });
    const { items } = await drop.hub.ok<{ items: { row: number; column: string | null; code: string }[] }>(
      'GET',
      `/imports/${second.id}/errors`,
    );
    expect(items).toMatchObject([
      { row: 7, code: 'TOO_MANY_COLUMNS' },
      { row: 5, column: 'Email', code: 'CELL_ERROR' },
      { row: 6, column: 'Email', code: 'EMAIL_INVALID' },
    ]);
    const { body: csv } = await drop.hub.api<string>('GET', `/imports/${second.id}/errors?format=csv`);
    expect(csv.split('\n').map((line) => line.split(',')[0])).toEqual(['row', '7', '5', '6', '']);
    const spool = join(drop.hub.dataDir, 'spool', 'imports');
    await until('the spool is empty', async () => (await readdir(spool)).length === 0 || undefined);
  });

  it('says that it passed over further sheets', async () => {
    const rows = [['Email'], ['a@example.com']];
    const imported = await importOf('two.xlsx', await workbookOf({ sheets: [{ rows }, { rows }] }));
    expect(imported.warnings).toMatchObject([{ code: 'SHEETS_PASSED_OVER' }]);
  });

  it.each<[string, string, () => Promise<Buffer | string>, string]>([
    ['a CSV named .xlsx', 'csv.xlsx', async () => 'Email\na@example.com\n', 'NOT_A_WORKBOOK'],
    ['a workbook named .csv', 'book.csv', () => sheet([['Email']]), 'NOT_A_TEXT_FILE'],
    [
      'half a workbook',
      'half.xlsx',
      async () => (await sheet([['Email']])).subarray(0, 500),
      'WORKBOOK_DAMAGED',
    ],
    [
      'a workbook without a usable column',
      'none.xlsx',
      () => sheet([['Colour'], ['red']]),
      'NO_USABLE_COMBINATION',
    ],
  ])('fails clearly: %s', async (_what, name, make, code) => {
    const failed = await importOf(name, await make());
    expect(failed).toMatchObject({ state: 'failed', audienceId: null, error: { code } });
  });
});

describe('a workbook that is sent to be looked at', () => {
  it('may come in a form or as the body, and is told by its first bytes', async () => {
    const bytes = await sheet([HEADER.slice(0, 5), ['ann@example.com', undefined, 'Ann', 'Lee', '02134']]);
    const look = async (body: FormData | Uint8Array<ArrayBuffer>, headers: Record<string, string> = {}) => {
      const query = new URLSearchParams({ workspaceId: drop.workspaceId, layout: 'iqm' });
      const authorization = `Bearer ${drop.hub.adminKey}`;
      const url = `${drop.hub.url}/api/v1/preflight?${query.toString()}`;
      const response = await fetch(url, { method: 'POST', headers: { authorization, ...headers }, body });
      return { status: response.status, body: (await response.json()) as Record<string, unknown> };
    };
    const before = await drop.hub.ok<{ total: number }>('GET', '/imports');
    const form = new FormData();
    form.append('note', 'anything');
    form.append('file', new Blob([new Uint8Array(bytes)]), 'People.dat');
    const usable = {
      status: 200,
      body: {
        verdict: 'usable',
        rows: { read: 1, accepted: 1 },
        file: { identityTypes: ['email', 'phone'] },
      },
    };
    expect(await look(form)).toMatchObject(usable);
    const binary = { 'content-type': 'application/octet-stream' };
    expect(await look(new Uint8Array(bytes), binary)).toMatchObject(usable);
    expect(await look(new FormData())).toMatchObject({ status: 400, body: { code: 'MALFORMED_BODY' } });
    expect(await drop.hub.ok('GET', '/imports')).toMatchObject({ total: before.total });
  });
});
