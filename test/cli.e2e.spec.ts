import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { HubProcess, PROCESS_KEY } from './support/hub-process.js';
import { Sink } from './support/sink.js';
import { until } from './support/until.js';

const SCRIPT = fileURLToPath(new URL('../scripts/hub.mjs', import.meta.url));
const START_MS = 60_000;

interface Run {
  code: number | null;
  out: string;
  err: string;
}

describe('npx hub', () => {
  let folder: string;
  let hub: HubProcess;
  let workspaceId: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'hub-cli-'));
    hub = await HubProcess.start({ HUB_DATA: join(folder, 'data'), HUB_SWEEP_MS: '500' });
    const { id } = await hub.api<{ id: string }>('POST', '/organizations', { name: 'Acme' });
    const body = { organizationId: id, name: 'Acme US', seatId: 'seat-7' };
    workspaceId = (await hub.api<{ id: string }>('POST', '/workspaces', body)).id;
  }, START_MS);

  afterAll(async () => {
    await hub.stop();
    await rm(folder, { recursive: true, force: true });
  });

  it('imports a file into an input it makes, and gives the account of its rows', async () => {
    const file = await fileOf('Spring.csv', 'Email\nann@example.com\nben@example.com\nnobody\n');
    const drop = join(folder, 'drop');
    const run = await cli('import', file, '--workspace', 'seat-7', '--layout', 'iqm', '--folder', drop);
    expect(run).toMatchObject({ code: 0 });
    expect(run.out).toContain('3 read, 2 accepted, 1 rejected');
    expect(run.out).toContain('Waterfall: 3 rows = 1 rejected + 2 valid');
    expect(run.out).toContain('valid = 0 matched (match rate 0.0 %) + 2 new + 0 unknown');
    expect(run.out).toContain('row 4, column Email: EMAIL_INVALID');
    expect(run.out).not.toContain('nobody');
    expect(run.err).toContain('step ');
  });

  it('refreshes the same audience, and prints one JSON document', async () => {
    const file = await fileOf('Spring.csv', 'Email\nann@example.com\nben@example.com\ncat@example.com\n');
    const run = await cli('import', file, '--workspace', workspaceId, '--layout', 'iqm', '--json');
    expect(run).toMatchObject({ code: 0, err: '' });
    expect(JSON.parse(run.out)).toMatchObject({ state: 'published', version: 2, added: 1, removed: 0 });
    expect(JSON.parse(run.out)).toMatchObject({ waterfall: { matchedBy: { email: 2 }, matchRate: 2 / 3 } });
  });

  it('ends with 1 where the import fails', async () => {
    const file = await fileOf('Broken.csv', 'Fist Nam\nann\n');
    const run = await cli('import', file, '--workspace', 'Acme US', '--layout', 'iqm');
    expect(run).toMatchObject({ code: 1, out: expect.stringContaining('NO_USABLE_COMBINATION') });
  });

  it('looks at a file before it is imported: facts and problems as tables, and 1 where it is unusable', async () => {
    const file = await fileOf('Next.csv', 'Fist Name;Email\nAnn;ann@example.com\nBen;nobody\nCat\n');
    const args = ['--workspace', 'seat-7', '--layout', 'iqm', '--audience', '1'];
    const good = await cli('preflight', file, ...args);
    expect(good).toMatchObject({ code: 0, out: expect.stringContaining('Next.csv is usable.') });
    expect(good.out).toMatch(/Encoding +utf-8\nDelimiter +semicolon\nFound by +email\n/);
    expect(good.out).toMatch(/3 read, 1 accepted, 2 rejected[\s\S]+as in force[\s\S]+100.0 %/);
    expect(good.out).toMatch(/Guard +would hold it: 2 of 3 rows were rejected/);
    expect(good.out).toMatch(/Warning HEADER_HINT: Column 1 "Fist Name"/);
    expect(good.out).toMatch(/\n3 +Email +EMAIL_INVALID +n\*\*\*\(6\)/);
    expect(good.out).toMatch(/\n4 +TOO_FEW_COLUMNS/);
    expect(good.out).not.toMatch(/nobody|ann@/);
    const changed = await cli(
      'preflight',
      await fileOf('Changed.csv', 'Phone\n+12125550101\n'),
      ...args,
      '--json',
    );
    expect(changed).toMatchObject({ code: 1, err: '' });
    expect(JSON.parse(changed.out)).toMatchObject({
      verdict: 'unusable',
      error: { code: 'MAPPING_CHANGED' },
      mapping: { change: { added: ['Phone'], removed: ['Email'] } },
    });
    const bad = await cli('preflight', await fileOf('Bad.csv', 'Fist Name,Emial\nann,x\n'), ...args);
    expect(bad).toMatchObject({ code: 1, out: expect.stringContaining('NO_USABLE_COMBINATION') });
    expect(bad.out).toContain('Column 2 "Emial": did you mean Email?');
    const absent = await cli('preflight', join(folder, 'absent.csv'), ...args);
    expect(absent).toMatchObject({ code: 2, err: expect.stringContaining('ENOENT') });
  });

  it('shows where two normalisation profiles differ, by column and row, masked', async () => {
    const file = await fileOf(
      'People.csv',
      '\ufeffEmail;Phone;Zip;Note\na.nn+x@gmail.com;+1 (212) 555-0101;10001;x\nben@example.com;212 555 0102;;y\n',
    );
    const compared = ['profile', 'diff', 'meta@2024-07', 'google@2025-06', file];
    const shown = await cli(...compared);
    expect(shown).toMatchObject({ code: 1, err: '' });
    expect(shown.out).toMatch(/differ in 1 of 2 rows\.[\s\S]+Email +email +1 +1 +0 +0 +0 +0\n/);
    expect(shown.out).toMatch(/\n +1 {2}Email, Phone\n/);
    expect(shown.out).toMatch(/\n2 +Email +a\*\*\*@g\*\*\*\.com\(16\) +a\S+\(16\) +a\S+\(13\)/);
    expect(shown.out).not.toMatch(/nn|555/);
    const document = JSON.parse((await cli(...compared, '--region', 'US', '--json')).out) as unknown;
    expect(document).toMatchObject({
      rows: 2,
      differingRows: 2,
      columns: [
        { header: 'Email', cells: { same: 1, differs: 1 } },
        { header: 'Phone', cells: { differs: 2 }, hashed: [true, true] },
        { header: 'Zip', cells: { same: 1, empty: 1 }, hashed: [true, false] },
      ],
      rowClasses: [
        { columns: ['Email', 'Phone'], rows: 1 },
        { columns: ['Phone'], rows: 1 },
      ],
    });
    expect(await cli('profile', 'diff', 'meta@2024-07', 'meta@2024-07', file)).toMatchObject({ code: 0 });
    const unknown = await cli('profile', 'diff', 'meta@1999-01', 'google@2025-06', file);
    expect(unknown).toMatchObject({ code: 2, err: expect.stringContaining('google@2025-06') });
  });

  it('lists audiences as a table and as JSON', async () => {
    const plain = await cli('audiences', '--workspace', 'seat-7');
    expect(plain.out).toMatch(/^id +name +size/);
    expect(plain.out).toMatch(/Spring +3 /);
    expect(JSON.parse((await cli('audiences', '--json')).out)).toEqual([
      expect.objectContaining({ name: 'Spring', size: 3 }),
    ]);
  });

  it('scans all inputs', async () => {
    const run = await cli('scan', '--json');
    expect(run.code).toBe(0);
    expect(JSON.parse(run.out)).toEqual([
      expect.objectContaining({ scan: expect.objectContaining({ listed: 2, unchanged: 2 }) }),
    ]);
  });

  it('plans what a connection would send, and sends it when told to', async () => {
    const output = {
      workspaceId,
      plugin: 'file',
      name: 'Planned',
      settings: { destination: join(folder, 'planned'), format: 'csv', content: 'members' },
    };
    const { id: outputId } = await hub.api<{ id: string }>('POST', '/outputs', output);
    const connection = { outputId, status: 'inactive' };
    const { id } = await hub.api<{ id: string }>('POST', '/audiences/1/connections', connection);
    const plan = await cli('plan', id);
    expect(plan).toMatchObject({ code: 0, out: expect.stringContaining('Nothing was sent.') });
    expect(plan.out).toMatch(/replace 3: 1 batches, .*3 with email/);
    const planId = / --apply (\S+) /.exec(plan.out)?.[1] ?? '';
    expect(await cli('plan', id, '--apply', planId)).toMatchObject({
      code: 0,
      out: expect.stringMatching(/is active\. Delivery \S+ begins\./),
    });
    expect(await cli('plan', id, '--apply', planId)).toMatchObject({ code: 4 });
  });

  it('fetches an export whole', async () => {
    const out = join(folder, 'spring.zip');
    const run = await cli('export', '1', '--identity-types', 'email', '--out', out, '--json');
    expect(run).toMatchObject({ code: 0, err: '' });
    const { sizeBytes, manifest } = JSON.parse(run.out) as {
      sizeBytes: number;
      manifest: { total_rows: number };
    };
    expect(manifest.total_rows).toBe(3);
    expect((await stat(out)).size).toBe(sizeBytes);
  });

  it('compares what a partner says it has, ends with 1 where that differs, and asks for a backfill', async () => {
    const sink = await Sink.start();
    try {
      const output = {
        workspaceId,
        plugin: 'webhook',
        name: 'Counting',
        settings: { url: sink.url, tellsCount: true },
        credentials: { secret: 'shared-with-the-sink' },
      };
      const { id: outputId } = await hub.api<{ id: string }>('POST', '/outputs', output);
      const connection = { outputId, status: 'active' };
      const { id } = await hub.api<{ id: string }>('POST', '/audiences/1/connections', connection);
      await until('it is delivered', async () => {
        const seen = await hub.api<{ deliveredVersion: number }>('GET', `/connections/${id}`);
        return seen.deliveredVersion > 0;
      });
      const agreeing = await cli('reconcile', id);
      expect(agreeing).toMatchObject({ code: 0, out: expect.stringContaining('the partner has 3 members') });
      const [lost = ''] = sink.members;
      sink.members.delete(lost);
      const differing = await cli('reconcile', id, '--json', '--backfill');
      expect(differing).toMatchObject({ code: 1, err: '' });
      expect(JSON.parse(differing.out)).toMatchObject({
        reconciliation: { verdict: 'fewer', hub: 3, partner: 2, problem: { code: 'COUNT_DIFFERS' } },
      });
      await until('the partner has everybody', async () => sink.members.has(lost) || undefined);
    } finally {
      await sink.stop();
    }
  });

  it('shows a fault, resumes it once the partner is mended, and tells of removals', async () => {
    const sink = await Sink.start();
    try {
      sink.failure = (_, event) => (event === 'ping' ? undefined : { status: 401 });
      const output = await hub.api<{ id: string }>('POST', '/outputs', {
        workspaceId,
        plugin: 'webhook',
        name: 'Partner',
        settings: { url: sink.url },
        credentials: { secret: 'a-secret-of-the-test-0123456789' },
      });
      const connected = await cli('connect', '1', '999999', '--output', output.id);
      expect(connected).toMatchObject({
        code: 1,
        out: expect.stringContaining('1 Spring: connected (active)'),
      });
      expect(connected.out).toContain('999999: not connected. NOT_FOUND');
      const id = await until('there is a fault', async () => {
        const faults = JSON.parse((await cli('faults', '--json')).out) as { id: string; kind: string }[];
        return faults.find(({ kind }) => kind === 'auth')?.id;
      });
      expect((await cli('faults')).out).toContain(id);
      sink.failure = () => undefined;
      expect(await cli('resume', id)).toMatchObject({ code: 0, out: expect.stringContaining('goes on') });
      expect(await cli('faults')).toMatchObject({ code: 0, out: 'There are no open faults.\n' });
      expect(await cli('resume', id)).toMatchObject({ code: 4, err: expect.stringContaining('WRONG_STATE') });

      const connection = /connected \(active\), (\S+)/.exec(connected.out)?.[1] ?? '';
      await until('it is delivered', () => sink.members.size === 3);
      const gone = await cli('disconnect', connection, '--wait');
      expect(gone).toMatchObject({ code: 0, out: expect.stringContaining('It ended: removed.') });
      expect([sink.members.size, sink.deleted]).toEqual([0, ['Spring']]);
      expect(await cli('disconnect', 'no-such')).toMatchObject({ code: 4 });
      const early = await cli('removal', '1');
      expect(early).toMatchObject({ code: 4, err: expect.stringContaining('WRONG_STATE') });
      await hub.api('DELETE', '/audiences/1?confirm=true');
      const { out } = await cli('removal', '1');
      expect(out).toContain('Audience 1 (Spring) was deleted at');
      expect(out).toContain(
        `Connection ${connection} to Partner is removed: members are taken out one by one`,
      );
      expect(out).toContain('Taken out: 3, refused: 0.');
    } finally {
      await sink.stop();
    }
  });

  it('says what to do about wrong usage, an absent hub and a refusal', async () => {
    expect(await cli('nonsense')).toMatchObject({ code: 2 });
    expect(await cli('export', 'x', '--identity-types', 'email', '--out', 'x.zip')).toMatchObject({
      code: 2,
    });
    expect(await cli('audiences', '--key', 'hub_unknown')).toMatchObject({ code: 4 });
    const absent = await cli('audiences', '--url', 'http://127.0.0.1:9');
    expect(absent).toMatchObject({ code: 3, err: expect.stringContaining('Is the hub running?') });
    const refused = await cli('resume', '00000000-0000-4000-8000-000000000000', '--json');
    expect(refused).toMatchObject({ code: 4, out: '' });
    expect(JSON.parse(refused.err)).toMatchObject({ error: { code: 'NOT_FOUND', exitCode: 4 } });
  });

  it('examines what a hub would stand on', async () => {
    const well = await cli('doctor', '--json');
    expect(well.code).toBe(0);
    const { findings } = JSON.parse(well.out) as { findings: { name: string; found: string }[] };
    const found = findings.find(({ name }) => name === 'data directory')?.found;
    expect(found).toContain(`in use by the hub of process ${hub.pid}`);
    const env = {
      DATABASE_URL: 'postgresql://hub:hidden-word@127.0.0.1:9/hub',
      REDIS_URL: 'redis://127.0.0.1:9',
    };
    const ill = await run(['doctor'], env);
    expect(ill).toMatchObject({
      code: 1,
      out: expect.stringMatching(/FAIL {2}database[\s\S]+FAIL {2}queue/),
    });
    expect(ill.out + ill.err).not.toContain('hidden-word');
    const wrong = await run(['doctor'], { HUB_ROLES: 'king' });
    expect(wrong).toMatchObject({ code: 1, out: expect.stringContaining('FAIL  configuration') });
  });

  async function fileOf(name: string, content: string): Promise<string> {
    const path = join(folder, 'files', name);
    await mkdir(join(folder, 'files'), { recursive: true });
    await writeFile(path, content);
    return path;
  }

  const cli = (...args: string[]) => run(args, {});

  function run(args: string[], env: Record<string, string>): Promise<Run> {
    const child = spawn(process.execPath, [SCRIPT, ...args], {
      env: {
        PATH: process.env.PATH ?? '',
        HUB_DATA: join(folder, 'data'),
        HUB_URL: hub.url,
        HUB_KEY: PROCESS_KEY,
        ...env,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const result: Run = { code: null, out: '', err: '' };
    child.stdout.setEncoding('utf8').on('data', (text: string) => (result.out += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (result.err += text));
    return new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (code) => resolve({ ...result, code }));
    });
  }
});
