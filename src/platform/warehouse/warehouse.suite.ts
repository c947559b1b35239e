import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { createTables, WarehouseError, type Warehouse } from './index.js';

/** An open warehouse, and what of it runs. */
export interface WarehouseUnderTest {
  warehouse: Warehouse;
  close(): Promise<void>;
}

/** What holds of the warehouse on either side. */
export function describeWarehouse(open: () => Promise<WarehouseUnderTest>): void {
  let opened: WarehouseUnderTest;
  let warehouse: Warehouse;
  let folder: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'hub-warehouse-files-'));
    opened = await open();
    warehouse = opened.warehouse;
  });
  afterAll(async () => {
    await opened.close();
    await rm(folder, { recursive: true, force: true });
  });

  async function file(name: string, content: string): Promise<string> {
    const path = join(folder, name);
    await writeFile(path, content);
    return path;
  }

  async function failureOf(work: Promise<unknown>): Promise<WarehouseError> {
    const error = await work.then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    if (error instanceof WarehouseError) return error;
    throw new Error(`expected a WarehouseError, got ${inspect(error)}`);
  }

  it('answers a ping', async () => {
    await expect(warehouse.ping()).resolves.toBeUndefined();
  });

  it('gives 64-bit integers as strings, smaller numbers as numbers, and no rows as none', async () => {
    const rows = await warehouse.query(
      `SELECT toInt64(-9007199254740993) AS wide, toUInt32(7) AS narrow, [toInt64(1)] AS list`,
    );
    expect(rows).toEqual([{ wide: '-9007199254740993', narrow: 7, list: ['1'] }]);
    expect(await warehouse.query('SELECT 1 AS n WHERE 0')).toEqual([]);
  });

  it('hands over any text as it is', async () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 20 }),
      fc.constantFrom(
        '\0',
        "'",
        '\\',
        "a'b\\",
        '\t\n\r',
        '{x:String}',
        'é 漢字 👩‍👩‍👧',
        '--',
        '; DROP TABLE ledger',
      ),
    );
    await fc.assert(
      fc.asyncProperty(text, async (given) => {
        const [row] = await warehouse.query('SELECT {text:String} AS text', { params: { text: given } });
        expect(row).toEqual({ text: given });
      }),
      { numRuns: 40 },
    );
  });

  it('hands over lists of texts and of 64-bit integers as they are', async () => {
    const texts = ['plain', "it's", '\\', 'tab\tline\n', '漢字', '', '[1]', ','];
    const mpids = [-(2n ** 63n), 2n ** 63n - 1n, 0n, -7n];
    const [row] = await warehouse.query(
      'SELECT {texts:Array(String)} AS texts, {mpids:Array(Int64)} AS mpids',
      {
        params: { texts, mpids },
      },
    );
    expect(row).toEqual({ texts, mpids: mpids.map(String) });
  });

  it('hands over more parameters than an address has room for', async () => {
    const mpids = Array.from({ length: 50_000 }, (_, index) => -(2n ** 62n) + BigInt(index));
    const [row] = await warehouse.query('SELECT length({mpids:Array(Int64)}) AS n', { params: { mpids } });
    expect(Number((row as { n: string }).n)).toBe(50_000);
  });

  it('applies settings to their own query only', async () => {
    const setting = `SELECT toUInt32(getSetting('max_block_size')) AS size`;
    const before = await warehouse.query(setting);
    expect(await warehouse.query(setting, { settings: { max_block_size: 77 } })).toEqual([{ size: 77 }]);
    for (let turn = 0; turn < 4; turn += 1) expect(await warehouse.query(setting)).toEqual(before);
  });

  it('makes its tables any number of times without harm', async () => {
    await warehouse.command(`INSERT INTO profiles VALUES (1, 1, 1, 'ann@example.com')`);
    await createTables(warehouse);
    await createTables(warehouse);
    expect(await warehouse.query(`SELECT value FROM profiles WHERE mpid = 1`)).toEqual([
      { value: 'ann@example.com' },
    ]);
  });

  it('loads 300,000 rows of a CSV with the settings and parameters of the load', async () => {
    const lines = Array.from({ length: 300_000 }, (_, n) => `${n};"name ""${n}"""`);
    const path = await file('many.csv', `id;name\n${lines.join('\n')}\n`);
    await warehouse.command(
      'CREATE TABLE many (id UInt64, name String, tag String) ENGINE = MergeTree ORDER BY id',
    );
    await warehouse.load(
      {
        path,
        format: 'CSV',
        structure: 'id UInt64, name String',
        settings: { format_csv_delimiter: ';', input_format_csv_skip_first_lines: 1 },
      },
      'many (id, name, tag)',
      (source) => `SELECT id, name, {tag:String} FROM ${source} WHERE id >= 0`,
      { params: { tag: "it's" } },
    );
    const counted = await warehouse.query(
      `SELECT toUInt32(uniqExact(id)) AS n, toUInt32(count()) AS rows, any(tag) AS tag, maxIf(name, id = 299999) AS last FROM many`,
    );
    expect(counted).toEqual([{ n: 300_000, rows: 300_000, tag: "it's", last: 'name "299999"' }]);
  });

  it.each([
    ['TabSeparated', 'a\\tb\tc\n', [{ x: 'a\tb', y: 'c' }]],
    ['CSV', '"a\nb","c, d"\n', [{ x: 'a\nb', y: 'c, d' }]],
    ['CSV', '', []],
  ] as const)('loads %s of %j', async (format, content, rows) => {
    const path = await file("it's a file.gz", content);
    await warehouse.command(
      'CREATE OR REPLACE TABLE small (x String, y String) ENGINE = MergeTree ORDER BY x',
    );
    const source = { path, format, structure: 'x String, y String' };
    await warehouse.load(source, 'small', (table) => `SELECT * FROM ${table}`);
    expect(await warehouse.query('SELECT * FROM small')).toEqual(rows);
  });

  it('loads lines as they are', async () => {
    const path = await file('lines.txt', 'a,"b\n\\t\n');
    await warehouse.command('CREATE OR REPLACE TABLE lines (line String) ENGINE = MergeTree ORDER BY line');
    const source = { path, format: 'LineAsString', structure: 'line String' } as const;
    await warehouse.load(source, 'lines', (table) => `SELECT line FROM ${table}`);
    expect(await warehouse.query('SELECT line FROM lines ORDER BY line')).toEqual([
      { line: '\\t' },
      { line: 'a,"b' },
    ]);
  });

  it.each(['missing.csv', '.'])('says that it cannot read %s, and goes on', async (name) => {
    await warehouse.command('CREATE TABLE IF NOT EXISTS unread (x String) ENGINE = MergeTree ORDER BY x');
    const source = { path: join(folder, name), format: 'CSV', structure: 'x String' } as const;
    const failure = await failureOf(warehouse.load(source, 'unread', (table) => `SELECT * FROM ${table}`));
    expect(failure.message).toMatch(/^(ENOENT|EISDIR): .*hub-warehouse-files/);
    expect(await warehouse.query('SELECT * FROM unread')).toEqual([]);
  });

  it('unloads what it selects, in place of a file that is there', async () => {
    const path = await file('out.csv', 'left by a process that died\n'.repeat(100));
    await warehouse.unload(
      { path, format: 'CSVWithNames', structure: 'n UInt64, s String' },
      `SELECT number AS n, concat('"', toString(number)) AS s FROM numbers(3)`,
    );
    expect(await readFile(path, 'utf8')).toBe('"n","s"\n0,"""0"\n1,"""1"\n2,"""2"\n');
  });

  it('unloads half a million rows whole', async () => {
    const path = join(folder, 'big.tsv');
    await warehouse.unload(
      { path, format: 'TSVRaw', structure: 's String' },
      `SELECT leftPad(toString(number), 9, '0') AS s FROM numbers({n:UInt64})`,
      { params: { n: 500_000 } },
    );
    expect((await stat(path)).size).toBe(500_000 * 10);
  });

  it('leaves no file where an unload fails on the way', async () => {
    const path = join(folder, 'half.csv');
    const select = `SELECT toString(number) AS s FROM numbers(2000000) WHERE throwIf(number = 1900000) = 0`;
    await failureOf(warehouse.unload({ path, format: 'CSV', structure: 's String' }, select));
    await expect(stat(path)).rejects.toThrow('ENOENT');
  });

  it('tells the number and the text of an error that speaks of the statement', async () => {
    const failure = await failureOf(warehouse.query('SELECT * FROM no_such_table WHERE x = 1'));
    expect(failure.code).toBe('60');
    expect(failure.message).toMatch(/^ClickHouse error 60, UNKNOWN_TABLE: .*no_such_table/);
    expect((await failureOf(warehouse.command('SELEC 1'))).code).toBe('62');
    const hungry = 'SELECT groupArray(number) FROM numbers(10000000)';
    const settings = { max_memory_usage: 10_000_000 };
    expect((await failureOf(warehouse.query(hungry, { settings }))).code).toBe('241');
  });

  it('never lets the value of a row or a parameter into an error', async () => {
    await warehouse.command(
      'CREATE TABLE strict (id UInt32, day Date, x String) ENGINE = MergeTree ORDER BY id',
    );
    const structure = 'id UInt32, day Date, x String';
    const load = (path: string, format: 'CSV' | 'TabSeparated') =>
      warehouse.load({ path, format, structure }, 'strict', (table) => `SELECT * FROM ${table}`);
    const canary = fc.stringMatching(/^[b-z]{12}$/);
    await fc.assert(
      fc.asyncProperty(canary, fc.nat(7), async (secret, where) => {
        const content = [
          `1,2026-01-01,"x"${secret}\n`,
          `1,2026-01-01,x\n${secret},2026-01-01,x\n`,
          `1,${secret},x\n`,
          `1,2026-01-01,x,${secret}\n`,
        ][where % 4];
        const path = await file('bad.csv', content ?? '');
        const params = { secret };
        const failing = [
          () => load(path, 'CSV'),
          () => load(path, 'TabSeparated'),
          () => warehouse.query('SELECT toUInt32({secret:String})', { params }),
          () => warehouse.query('SELECT {secret:UInt32}', { params }),
          () => warehouse.query('SELECT throwIf(1, concat({secret:String}))', { params }),
          () => warehouse.query(`SELECT * FROM no_such_table WHERE x = '${secret}'`),
          () => warehouse.query(`SELECT '${secret}' ORDR BY`),
          () => warehouse.command(`INSERT INTO strict VALUES ('${secret}', 1, 2)`),
        ];
        const failure = await failureOf(failing[where]?.() ?? Promise.reject(new Error('none')));
        expect(inspect(failure, { depth: 10, showHidden: true })).not.toContain(secret);
        expect(failure.code).toMatch(/^\d+$/);
      }),
      { numRuns: 24 },
    );
  });

  it('answers quick queries while bulk ones run', async () => {
    await warehouse.query('SELECT 1');
    let bulkDone = false;
    // Four seconds: a busy machine may take one of them for a query.
    const bulk = warehouse
      .command('SELECT sleepEachRow(0.5) FROM numbers(8) FORMAT Null', {
        lane: 'bulk',
        settings: { max_block_size: 1 },
      })
      .then(() => (bulkDone = true));
    for (let turn = 0; turn < 3; turn += 1) await warehouse.query('SELECT 1');
    expect(bulkDone).toBe(false);
    await bulk;
  });
}

/** What closing a warehouse means; it needs one of its own. */
export function itClosesInOrder(open: () => Promise<WarehouseUnderTest>): void {
  it('waits for what was asked before it closes, and refuses what is asked later', async () => {
    const opened = await open();
    const { warehouse } = opened;
    const asked = Array.from({ length: 12 }, (_, n) =>
      warehouse.query(`SELECT sleep(0.05) AS s, {n:UInt8} AS n`, {
        params: { n },
        lane: n % 2 ? 'bulk' : 'quick',
      }),
    );
    const closed = opened.close();
    await expect(warehouse.query('SELECT 1')).rejects.toThrow('closed');
    expect(await Promise.all(asked)).toEqual(asked.map((_, n) => [{ s: 0, n }]));
    await closed;
  });
}
