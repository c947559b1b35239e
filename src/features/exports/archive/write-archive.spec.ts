import { execFile } from 'node:child_process';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { readZip } from '../../../../test/support/read-zip.js';
import { temporaryWarehouse } from '../../../../test/support/warehouse.js';
import { FULL_AUDIENCE } from '../../../domain/audiences/index.js';
import { codeOf } from '../../../domain/identities/index.js';
import { WarehouseError, type Warehouse } from '../../../platform/warehouse/index.js';
import { Ledger } from '../../ledger/index.js';
import { PartWriter, type CsvSource } from './part-writer.js';
import { writeArchive, type EntryCounts } from './write-archive.js';

const SCANNED_AT = new Date('2026-03-01T10:20:30.456Z');
const MEMBERS = 3000;
const WORKSPACE = 4;

let warehouse: Warehouse;
let closeWarehouse: () => Promise<void>;
let folder: string;

beforeAll(async () => {
  const opened = await temporaryWarehouse();
  warehouse = opened.warehouse;
  closeWarehouse = () => opened.close();
  folder = await mkdtemp(join(tmpdir(), 'hub-archive-'));
  await warehouse.command(
    `INSERT INTO ledger SELECT 1, toInt64(sipHash64(number)), 1, 1, now64(3) FROM numbers(${MEMBERS})`,
  );
  await warehouse.command(
    `INSERT INTO profiles SELECT ${WORKSPACE}, toInt64(sipHash64(number)), ${codeOf('customer_id')},
       concat('id-', toString(number)) FROM numbers(${MEMBERS})`,
  );
});
afterAll(async () => {
  await closeWarehouse();
  await rm(folder, { recursive: true, force: true });
});

function source(audienceId: number, change: Partial<CsvSource> = {}): CsvSource {
  return {
    key: { audienceId, workspace: WORKSPACE },
    version: 1,
    target: FULL_AUDIENCE,
    identityTypes: ['customer_id'],
    style: { scannedAt: SCANNED_AT, neutraliseFormulas: false },
    ...change,
  };
}

function archive(writer: PartWriter, sources: CsvSource[], signal = new AbortController().signal) {
  const entries = sources.map((one, index) => ({ fileName: `${index}.csv`, source: one }));
  return writeArchive(writer, entries, (counts) => JSON.stringify(counts), { at: SCANNED_AT, signal });
}

async function whole(chunks: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const all: Uint8Array[] = [];
  for await (const chunk of chunks) all.push(chunk);
  return Buffer.concat(all);
}

async function write(
  rows: [mpid: string, type: 'email' | 'phone' | 'customer_id', value: string][],
  audienceId: number,
) {
  for (const [mpid, type, value] of rows) {
    await warehouse.command(`INSERT INTO ledger VALUES (${audienceId}, ${mpid}, 1, 1, now64(3))`);
    await warehouse.command('INSERT INTO profiles VALUES ({w:UInt32}, {m:Int64}, {t:UInt8}, {v:String})', {
      params: { w: WORKSPACE, m: BigInt(mpid), t: codeOf(type), v: value },
    });
  }
}

describe('writeArchive', () => {
  it('writes every identity as a row, ascending by mpid, quoted only where CSV needs it', async () => {
    await write(
      [
        ['-7', 'email', 'ann@example.com'],
        ['5', 'phone', '+15550100'],
        ['5', 'phone', '+15550101'],
        ['5', 'customer_id', 'says "hi", twice'],
        ['9', 'customer_id', 'two\nlines'],
        ['9', 'customer_id', '=1+1'],
        ['11', 'email', 'not-asked-for@example.com'],
      ],
      2,
    );
    const zip = readZip(
      await whole(
        archive(new PartWriter(warehouse, new Ledger(warehouse), folder), [
          source(2, { identityTypes: ['customer_id', 'phone'] }),
        ]),
      ),
    );
    const at = SCANNED_AT.getTime();
    expect(zip.get('0.csv')?.toString()).toBe(
      'mpid,scanned_timestamp_ms,identity_value,identity_type\n' +
        `5,${at},"says ""hi"", twice",customer_id\n` +
        `5,${at},+15550100,phone\n` +
        `5,${at},+15550101,phone\n` +
        `9,${at},=1+1,customer_id\n` +
        `9,${at},"two\nlines",customer_id\n`,
    );
    const counts: EntryCounts[] = [{ users: 2, rows: { customer_id: 3, phone: 2 } }];
    expect(JSON.parse(zip.get('manifest.json')?.toString() ?? '')).toEqual(counts);
    expect(await readdir(folder)).toEqual([]);
  });

  it('keeps values from running in a spreadsheet where that is asked for, and mpids numbers', async () => {
    await write(
      [
        ['-8', 'customer_id', '=cmd()'],
        ['-7', 'customer_id', '@x,"y"'],
        ['-6', 'customer_id', '-1'],
        ['-5', 'customer_id', '+1'],
        ['-4', 'customer_id', '\tt'],
        ['-3', 'customer_id', "o'k=+-@"],
      ],
      3,
    );
    const style = { scannedAt: SCANNED_AT, neutraliseFormulas: true };
    const zip = readZip(
      await whole(archive(new PartWriter(warehouse, new Ledger(warehouse), folder), [source(3, { style })])),
    );
    const lines = zip.get('0.csv')?.toString().split('\n').slice(1, -1) ?? [];
    expect(lines.map((line) => line.split(`,${SCANNED_AT.getTime()},`))).toEqual([
      ['-8', "'=cmd(),customer_id"],
      ['-7', '"\'@x,""y""",customer_id'],
      ['-6', "'-1,customer_id"],
      ['-5', "'+1,customer_id"],
      ['-4', "'\tt,customer_id"],
      ['-3', "o'k=+-@,customer_id"],
    ]);
  });

  it('makes the same bytes from many small parts as from one', async () => {
    const make = (partMembers: number) =>
      whole(
        archive(new PartWriter(warehouse, new Ledger(warehouse), folder, partMembers), [
          source(1),
          source(77),
        ]),
      );
    const [small, large] = [readZip(await make(100)), readZip(await make(1_000_000))];
    expect(small.get('0.csv')?.equals(large.get('0.csv') ?? Buffer.alloc(0))).toBe(true);
    expect(small.get('1.csv')?.toString()).toBe('mpid,scanned_timestamp_ms,identity_value,identity_type\n');
    const mpids = (small.get('0.csv')?.toString() ?? '')
      .split('\n')
      .slice(1, -1)
      .map((line) => BigInt(line.split(',')[0] ?? ''));
    expect(mpids).toHaveLength(MEMBERS);
    expect(mpids.every((mpid, index) => index === 0 || (mpids[index - 1] ?? 0n) < mpid)).toBe(true);
    expect(JSON.parse(small.get('manifest.json')?.toString() ?? '')).toEqual([
      { users: MEMBERS, rows: { customer_id: MEMBERS } },
      { users: 0, rows: { customer_id: 0 } },
    ]);
  });

  it('is an archive that unzip finds nothing wrong with', async () => {
    const path = join(folder, 'whole.zip');
    await writeFile(
      path,
      await whole(archive(new PartWriter(warehouse, new Ledger(warehouse), folder), [source(1)])),
    );
    const answer = await promisify(execFile)('unzip', ['-t', path]).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return { stdout: 'No errors detected: no unzip here' };
      throw error;
    });
    expect(answer.stdout).toContain('No errors detected');
    await rm(path);
  });

  it('stops in the middle with the reason of its signal', async () => {
    const abort = new AbortController();
    const writer = new PartWriter(warehouse, new Ledger(warehouse), folder, 10);
    const reading = (async () => {
      for await (const chunk of archive(writer, [source(1)], abort.signal)) {
        if (chunk.length > 0) abort.abort(new Error('enough'));
      }
    })();
    await expect(reading).rejects.toThrow('enough');
  });

  it('hands on the error of the engine', async () => {
    const noFolder = join(folder, 'a-file');
    await writeFile(noFolder, '');
    const writer = new PartWriter(warehouse, new Ledger(warehouse), noFolder);
    await expect(whole(archive(writer, [source(1)]))).rejects.toThrow(WarehouseError);
  });
});
