import { mkdir, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { sql } from 'drizzle-orm';
import { openPglite } from './open-pglite.js';
import { rowsOf } from './migrate.js';

describe('openPglite', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'hub-pglite-'));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  it('makes the database where a start before was cut short, and finds it again', async () => {
    const directory = join(folder, 'deep', 'database');
    await mkdir(directory, { recursive: true });
    await mkdir(`${directory}.half`);
    await writeFile(join(`${directory}.half`, 'PG_VERSION'), 'half of it');
    const first = await openPglite(directory);
    await first.db.execute(sql`create table kept as select 7 as n`);
    await first.close();
    const second = await openPglite(directory);
    expect(rowsOf(await second.db.execute(sql`select n from kept`))).toEqual([{ n: 7 }]);
    await second.close();
    expect(await readdir(join(folder, 'deep'))).toEqual(['database']);
    expect((await stat(directory)).mode & 0o777).toBe(0o700);
  }, 60_000);

  it('leaves files alone that are no database', async () => {
    await writeFile(join(folder, 'letter.txt'), 'mine');
    await expect(openPglite(folder)).rejects.toThrow('holds files that are no database');
    expect(await readdir(folder)).toEqual(['letter.txt']);
  }, 60_000);
});
