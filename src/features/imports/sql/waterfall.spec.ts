import { randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { temporaryWarehouse } from '../../../../test/support/warehouse.js';
import { mapColumns } from '../../../domain/identities/index.js';
import type { QueryOptions, Warehouse } from '../../../platform/warehouse/index.js';
import { severalMembersSql } from './resolve-several.js';
import { resolve, type ResolveRequest } from './resolve.js';
import { stageFile } from './stage.js';
import { dropWorkTables, workTables } from './tables.js';

/** The columns, strongest first. */
const HEADER = ['customer_id', 'email', 'phone'] as const;
type Key = (typeof HEADER)[number];

/** A row of the file: which of a person's identities it gives, and in which cells there is nonsense. */
interface Row {
  person: number;
  gives: readonly Key[];
  broken: readonly Key[];
}
interface File {
  rows: Row[];
  create: boolean;
  /** Where its first process dies. */
  cut: { table: 'profiles' | 'identities'; written: number } | undefined;
}

let warehouse: Warehouse;
let close: () => Promise<void>;
let folder: string;
let workspaces = 0;

beforeAll(async () => {
  ({ warehouse, close } = await temporaryWarehouse());
  folder = await mkdtemp(join(tmpdir(), 'hub-waterfall-'));
});
afterAll(async () => {
  await close();
  await rm(folder, { recursive: true, force: true });
});

const valueOf = (person: number, key: Key): string =>
  ({
    customer_id: `c${person}`,
    email: `person${person}@example.com`,
    phone: `+1202555010${person}`,
  })[key];

function cellOf(row: Row, key: Key): string {
  if (row.broken.includes(key)) return key === 'customer_id' ? '' : 'nonsense';
  return row.gives.includes(key) ? valueOf(row.person, key) : '';
}

class ProcessDied extends Error {}

/** Dies at its first insert into `table`, when `written` rows are there. */
function dyingIn(table: string, written: number): Warehouse {
  return {
    ...warehouse,
    async command(statement: string, options?: QueryOptions) {
      const head = `INSERT INTO ${table} `;
      if (!statement.startsWith(head)) return warehouse.command(statement, options);
      await warehouse.command(
        `${head}SELECT * FROM (${statement.slice(head.length)}) LIMIT ${written}`,
        options,
      );
      throw new ProcessDied();
    },
  };
}

/** What an import counts that dies while it registers, and is run again. */
async function counted(workspace: number, { rows, create, cut }: File) {
  const id = randomUUID();
  const mapped = mapColumns(HEADER);
  if ('problems' in mapped) throw new Error(JSON.stringify(mapped.problems));
  const path = join(folder, id);
  const lines = rows.map((row) => `${HEADER.map((key) => cellOf(row, key)).join('\t')}\n`);
  await writeFile(path, lines.join(''));
  const structure = HEADER.map((_, index) => `c${index + 1} String`).join(', ');
  const settings = { input_format_tsv_detect_header: 0 };
  const plan = { mapping: mapped.mapping, options: {}, hashForms: [] };
  const request: ResolveRequest = { workspace, tables: workTables(id), plan, create };
  const file = { path, format: 'TabSeparated', structure, settings } as const;
  const staged = await stageFile(warehouse, request.tables, file, plan);
  const dying = cut === undefined ? warehouse : dyingIn(cut.table, cut.written);
  await resolve(dying, request).catch((error: unknown) => {
    if (!(error instanceof ProcessDied)) throw error;
  });
  const { counts } = await resolve(warehouse, request);
  const [row] = await warehouse.query<{ n: string }>(
    `SELECT uniqExact(mpid) AS n FROM (${severalMembersSql(request)})`,
  );
  await dropWorkTables(warehouse, id);
  return { rejected: staged.rejected, ...counts, members: Number(row?.n) };
}

/** An identity as text, and how strong it is (0 is the strongest). */
interface Identity {
  key: Key;
  strength: number;
  name: string;
}

/** Whose a row is: a known profile (rank 0) or somebody new (1), named by the new one's strongest identity. */
interface Label {
  rank: 0 | 1;
  strength: number;
  profile: string;
}

const stronger = (a: Label, b: Label) =>
  a.rank - b.rank || a.strength - b.strength || (a.profile < b.profile ? -1 : Number(a.profile > b.profile));

function identitiesOf(row: Row): Identity[] {
  return HEADER.flatMap((key, strength) =>
    row.gives.includes(key) && !row.broken.includes(key)
      ? [{ key, strength, name: `${key} ${valueOf(row.person, key)}` }]
      : [],
  );
}

/** Matching in maps and loops: who has which identity, and what a file makes of it. */
class Model {
  private readonly owners = new Map<string, string>();

  take({ rows, create }: File) {
    const accepted = rows.map((row) => identitiesOf(row)).filter((identities) => identities.length > 0);
    const labelled = accepted.map((identities) => this.label(identities));
    this.settle(labelled);
    const matched = labelled.filter(({ label }) => label.rank === 0);
    const others = labelled.filter(({ label }) => label.rank === 1);
    const matchedBy: Record<string, number> = {};
    for (const { by } of matched) matchedBy[by.key] = (matchedBy[by.key] ?? 0) + 1;
    if (create) this.learn(labelled);
    const differing = (of: typeof labelled) => new Set(of.map(({ label }) => label.profile)).size;
    return {
      rejected: rows.length - accepted.length,
      matched: matched.length,
      matchedBy,
      created: create ? others.length : 0,
      unknown: create ? 0 : others.length,
      createdProfiles: create ? differing(others) : 0,
      members: differing(create ? labelled : matched),
    };
  }

  private label(identities: readonly Identity[]) {
    const [own] = identities;
    if (own === undefined) throw new Error('A row that is accepted has an identity.');
    const known = identities.find(({ name }) => this.owners.has(name));
    const label: Label = known
      ? { rank: 0, strength: known.strength, profile: this.owners.get(known.name) ?? '' }
      : { rank: 1, strength: own.strength, profile: own.name };
    return { identities, own, by: known ?? own, label };
  }

  /** Hands labels on until nothing changes: from any row with an identity to those whose strongest it is. */
  private settle(rows: ReturnType<Model['label']>[]): void {
    for (let changed = true; changed;) {
      changed = false;
      for (const row of rows.filter(({ label }) => label.rank === 1)) {
        const sharing = rows.filter(({ identities }) => identities.some(({ name }) => name === row.own.name));
        const [best] = sharing.map(({ label }) => label).sort(stronger);
        if (best === undefined || stronger(best, row.label) >= 0) continue;
        row.label = best;
        changed = true;
      }
    }
  }

  private learn(rows: ReturnType<Model['label']>[]): void {
    const learned = rows
      .toSorted((a, b) => stronger(a.label, b.label))
      .flatMap(({ identities, label }) => identities.map(({ name }) => [name, label.profile] as const));
    for (const [name, profile] of learned) if (!this.owners.has(name)) this.owners.set(name, profile);
  }
}

const keys = fc.subarray([...HEADER]);
const row: fc.Arbitrary<Row> = fc.record({
  person: fc.nat(4),
  gives: keys,
  broken: fc.subarray([...HEADER], { maxLength: 1 }),
});
const cut = fc.record({
  table: fc.constantFrom('profiles' as const, 'identities' as const),
  written: fc.nat(4),
});
const file: fc.Arbitrary<File> = fc.record({
  rows: fc.array(row, { minLength: 1, maxLength: 8 }),
  create: fc.boolean(),
  cut: fc.option(cut, { nil: undefined }),
});

describe('the counts of a waterfall', () => {
  it('equal a model of matching, file after file and after any crash', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(file, { minLength: 2, maxLength: 4 }), async (files) => {
        const workspace = (workspaces += 1);
        const model = new Model();
        for (const next of files) expect(await counted(workspace, next)).toEqual(model.take(next));
      }),
      { numRuns: 12 },
    );
  }, 240_000);
});
