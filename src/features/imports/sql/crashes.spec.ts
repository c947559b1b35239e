import { randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { temporaryWarehouse } from '../../../../test/support/warehouse.js';
import { mapColumns } from '../../../domain/identities/index.js';
import type { QueryOptions, Warehouse } from '../../../platform/warehouse/index.js';
import { Ledger } from '../../ledger/index.js';
import { appendDelta, computeDelta } from './delta.js';
import { resolve, type ResolveRequest } from './resolve.js';
import { stageFile } from './stage.js';
import { dropWorkTables, workTables } from './tables.js';

const CUTS = [
  'none',
  'after stage',
  'in profiles',
  'in identities',
  'in members',
  'in delta',
  'after delta',
  'in the ledger',
] as const;

/** One import of ids, with or without e-mails, and where its first process dies. */
interface Step {
  /** Some come twice. */
  ids: number[];
  create: boolean;
  /** A second column, so that a row has several identities. */
  several: boolean;
  cut: (typeof CUTS)[number];
  /** Rows of the cut insert that were written. */
  written: number;
  /** Below it, the ledger's later rows are looked at one by one, above it they are grouped. */
  maxChurn: number;
}

class ProcessDied extends Error {}

let warehouse: Warehouse;
let close: () => Promise<void>;
let folder: string;
let workspaces = 0;

beforeAll(async () => {
  ({ warehouse, close } = await temporaryWarehouse());
  folder = await mkdtemp(join(tmpdir(), 'hub-imports-crashes-'));
});
afterAll(async () => {
  await close();
  await rm(folder, { recursive: true, force: true });
});

/** The warehouse of a process that dies within its next insert into `table`, when `written` rows are there. */
function dyingIn(table: string, written: number): Warehouse {
  return {
    ...warehouse,
    async command(statement: string, options?: QueryOptions) {
      if (!statement.startsWith(`INSERT INTO ${table} `)) return warehouse.command(statement, options);
      const [head, select] = statement.split(/(?<=^INSERT INTO \w+)\s+/);
      await warehouse.command(`${head} SELECT * FROM (${select}) LIMIT ${written}`, options);
      throw new ProcessDied();
    },
  };
}

/** An import as the runner does it, from the step at which it was found. Rows of the file stay as they are. */
class Import {
  private readonly id = randomUUID();
  private readonly tables = workTables(this.id);
  private readonly header: string[];
  private readonly request: ResolveRequest;

  constructor(
    private readonly audience: { id: number; version: number },
    private readonly step: Step,
  ) {
    this.header = step.several ? ['customer_id', 'email'] : ['customer_id'];
    const mapped = mapColumns(this.header);
    if ('problems' in mapped) throw new Error(JSON.stringify(mapped.problems));
    const plan = { mapping: mapped.mapping, options: {}, hashForms: [] };
    this.request = { workspace: audience.id, tables: this.tables, plan, create: step.create };
  }

  /** The run that dies, then one that is left alone. Returns what the ledger says of the new version. */
  async run() {
    await this.stage();
    await this.dyingRun().catch((error: unknown) => {
      if (!(error instanceof ProcessDied)) throw error;
    });
    const { id, version } = this.audience;
    const { members } = await resolve(warehouse, this.request);
    const request = { ...this.request, members, maxChurn: this.step.maxChurn };
    const delta = await computeDelta(warehouse, request, this.audience);
    const ledger = new Ledger(warehouse);
    await ledger.discardAbove(id, version);
    await appendDelta(warehouse, request, delta, { id, version: version + 1 }, new Date());
    await dropWorkTables(warehouse, this.id);
    expect(await ledger.holds(id, version + 1, delta)).toBe(true);
    const { added, removed } = delta;
    return { delta: { added, removed }, counted: await ledger.countsOf(id, version + 1) };
  }

  private async stage(): Promise<void> {
    const path = join(folder, this.id);
    const rows = this.step.ids.map((id) =>
      this.step.several ? `c${id}\tperson${id}@example.com` : `c${id}`,
    );
    await writeFile(path, rows.map((row) => `${row}\n`).join(''));
    const structure = this.header.map((_, index) => `c${index + 1} String`).join(', ');
    const { plan } = this.request;
    // As the preflight's reading: an id that is called like a column is no header.
    const settings = { input_format_tsv_detect_header: 0 };
    const file = { path, format: 'TabSeparated', structure, settings } as const;
    await stageFile(warehouse, this.tables, file, plan);
  }

  private async dyingRun(): Promise<void> {
    const { cut, written } = this.step;
    const { id, version } = this.audience;
    if (cut === 'none' || cut === 'after stage') return;
    const table = {
      'in profiles': 'profiles',
      'in identities': 'identities',
      'in members': this.tables.members,
      'in delta': this.tables.delta,
      'after delta': undefined,
      'in the ledger': undefined,
    }[cut];
    const first = table === undefined ? warehouse : dyingIn(table, written);
    const { members } = await resolve(first, this.request);
    const request = { ...this.request, members, maxChurn: this.step.maxChurn };
    const delta = await computeDelta(first, request, this.audience);
    if (cut !== 'in the ledger') return;
    await new Ledger(warehouse).discardAbove(id, version);
    const next = { id, version: version + 1 };
    await appendDelta(dyingIn('ledger', written), request, delta, next, new Date());
  }
}

/** The model: what an import makes of the known ids and the members. */
function modelOf(steps: readonly Step[]) {
  const known = new Set<number>();
  let members = new Set<number>();
  return steps.map(({ ids, create }) => {
    if (create) for (const id of ids) known.add(id);
    const next = new Set(ids.filter((id) => known.has(id)));
    const added = [...next].filter((id) => !members.has(id)).length;
    const removed = [...members].filter((id) => !next.has(id)).length;
    members = next;
    return { members: [...next].map((id) => `c${id}`).sort(), added, removed };
  });
}

async function membersAt(id: number, version: number): Promise<string[]> {
  const page = await new Ledger(warehouse).page(
    { audienceId: id, workspace: id },
    { what: 'members', version },
    { after: null, limit: 1000, forms: [{ type: 'customer_id', encoding: 'raw' }] },
  );
  return page.members.flatMap((member) => member.identities.customer_id ?? []).sort();
}

const step: fc.Arbitrary<Step> = fc.record({
  ids: fc.array(fc.nat(7), { minLength: 1, maxLength: 7 }),
  create: fc.boolean(),
  several: fc.boolean(),
  cut: fc.constantFrom(...CUTS),
  written: fc.nat(4),
  maxChurn: fc.constantFrom(0, 3, 1000),
});

describe('any sequence of imports and crashes', () => {
  it('equals a model of sets at every version', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 3, maxLength: 5 }), async (steps) => {
        const id = (workspaces += 1);
        const model = modelOf(steps);
        for (const [version, expected] of model.entries()) {
          const given = steps[version];
          if (given === undefined) throw new Error('The model has more versions than there are imports.');
          const { delta, counted } = await new Import({ id, version }, given).run();
          const { added, removed } = expected;
          expect({ delta, counted }).toEqual({ delta: { added, removed }, counted: { added, removed } });
        }
        for (const [index, { members }] of model.entries()) {
          expect(await membersAt(id, index + 1)).toEqual(members);
        }
      }),
      { numRuns: 10 },
    );
  }, 120_000);
});
