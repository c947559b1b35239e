import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { randomUUID } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { temporaryWarehouse } from '../../../../test/support/warehouse.js';
import { mapColumns } from '../../../domain/identities/index.js';
import { newestSequence } from '../../ledger/index.js';
import { logChangedAttributes, sharedInFile } from './attribute-changes.js';
import { keepAttributes, stageAttributes } from './attributes.js';
import { resolve, type ResolveRequest } from './resolve.js';
import { stageFile } from './stage.js';
import { workTables } from './tables.js';

let opened: Awaited<ReturnType<typeof temporaryWarehouse>>;
let folder: string;
let workspace = 100;

beforeAll(async () => {
  opened = await temporaryWarehouse();
  folder = await mkdtemp(join(tmpdir(), 'hub-attributes-'));
}, 120_000);
afterAll(async () => {
  await opened?.close();
  await rm(folder, { recursive: true, force: true });
});

/** A file that is staged and whose people are known. */
async function staged(header: string[], rows: readonly string[][]): Promise<ResolveRequest> {
  const mapped = mapColumns(header);
  if ('problems' in mapped) throw new Error(JSON.stringify(mapped.problems));
  const path = join(folder, randomUUID());
  await writeFile(path, rows.map((row) => `${row.join('\t')}\n`).join(''));
  const tables = workTables(randomUUID());
  const plan = { mapping: mapped.mapping, options: {}, hashForms: [] };
  const file = {
    path,
    format: 'TabSeparated' as const,
    structure: header.map((_, at) => `c${at + 1} String`).join(', '),
  };
  await stageFile(opened.warehouse, tables, file, plan);
  await stageAttributes(opened.warehouse, tables, file, plan);
  const request = { workspace, tables, plan, create: true };
  await resolve(opened.warehouse, request);
  return request;
}

const logged = async (after = 0) => {
  const rows = await opened.warehouse.query<{ email: string; key: string }>(
    `SELECT p.value AS email, c.value AS key FROM identity_changes AS c
     INNER JOIN profiles AS p ON p.workspace = c.workspace AND p.mpid = c.mpid
     WHERE c.workspace = ${workspace} AND c.type = 255 AND c.seq > ${after} ORDER BY email, key`,
  );
  return rows.map(({ email, key }) => `${email.replace('@example.com', '')} ${key}`);
};

/** Logs and keeps, as an import does; returns what was logged. */
async function said(
  rows: string[][],
  sequence: number,
  header = ['Email', 'Party', 'Tier'],
  keys = ['party', 'tier'],
) {
  const before = await newestSequence(opened.warehouse, workspace);
  const request = await staged(header, rows);
  const by = { sequence, repeats: true };
  await logChangedAttributes(opened.warehouse, request, by, sharedInFile(request, new Set(keys)));
  await keepAttributes(opened.warehouse, request, by);
  return logged(before);
}

const person = (name: string, ...values: string[]) => [`${name}@example.com`, ...values];

describe('the log of changed attributes', () => {
  it('names whose shared attributes are others than before, and no others', async () => {
    workspace += 1;
    expect(await said([person('ann', 'Green', '1'), person('ben', 'Blue', '')], 1)).toEqual([
      'ann party',
      'ann tier',
      'ben party',
    ]);
    expect(await said([person('ann', 'Green', '2'), person('ben', '', '')], 2)).toEqual(['ann tier']);
    expect(await said([person('ann', 'Green', '2'), person('ben', 'Blue', '')], 3)).toEqual([]);
    expect(await said([person('ann', 'Red', '3')], 4, ['Email', 'Party', 'Tier'], ['party'])).toEqual([
      'ann party',
    ]);
    expect(await said([person('ann', 'Grey', '4')], 5, ['Email', 'Party', 'Tier'], ['shoe'])).toEqual([]);
  });

  it('does not name what a later import had said already', async () => {
    workspace += 1;
    await said([person('ann', 'Green', '1')], 7);
    expect(await said([person('ann', 'Red', '2')], 6)).toEqual([]);
  });

  it('names them again where the import was cut off before the values were kept, and not after', async () => {
    workspace += 1;
    await said([person('ann', 'Green', '1')], 1);
    const before = await newestSequence(opened.warehouse, workspace);
    const request = await staged(['Email', 'Party', 'Tier'], [person('ann', 'Red', '1')]);
    const by = { sequence: 2, repeats: false };
    await logChangedAttributes(opened.warehouse, request, by, ['party', 'tier']);
    await logChangedAttributes(opened.warehouse, request, by, ['party', 'tier']);
    expect(await logged(before)).toEqual(['ann party', 'ann party']);
    await keepAttributes(opened.warehouse, request, by);
    await logChangedAttributes(opened.warehouse, request, by, ['party', 'tier']);
    expect(await newestSequence(opened.warehouse, workspace)).toBe(before + 2);
  });

  it('is what a model of the values says, whatever is imported', async () => {
    const value = fc.constantFrom('', 'a', 'b', "it's");
    const row = fc.tuple(fc.constantFrom('ann', 'ben', 'cat'), value, value);
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.uniqueArray(row, { selector: ([name]) => name }), { maxLength: 4 }),
        async (files) => {
          workspace += 1;
          const known = new Map<string, string>();
          for (const [index, rows] of files.entries()) {
            const changed: string[] = [];
            for (const [name, party, tier] of rows) {
              for (const [key, is] of [
                ['party', party],
                ['tier', tier],
              ] as const) {
                if (is === '' || known.get(`${name} ${key}`) === is) continue;
                known.set(`${name} ${key}`, is);
                changed.push(`${name} ${key}`);
              }
            }
            const found =
              rows.length === 0
                ? []
                : await said(
                    rows.map(([name, ...rest]) => person(name, ...rest)),
                    index + 1,
                  );
            expect(found).toEqual(changed.toSorted());
          }
        },
      ),
      { numRuns: 6 },
    );
  }, 120_000);
});
