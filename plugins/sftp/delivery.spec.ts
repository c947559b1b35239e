import { createHash } from 'node:crypto';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from '@jest/globals';
import { sftp } from './index.js';
import { audience, batchOf, member, rig } from './testing/sftp-rig.js';

describe('the files of the SFTP output', () => {
  it('hold a batch of changes each, named by audience, versions, operation and batch', async () => {
    const { server, ctx } = await rig({ directory: 'uploads/acme' });
    const one = { mpid: '7', identities: { phone: ['+12025550101'] } };
    await sftp.audience.add(ctx, audience, batchOf([one]));
    await sftp.audience.remove?.(ctx, audience, batchOf([one], 2, 'b2'));
    expect(server.files.texts()).toEqual({
      '/uploads/acme/Spring-buyers-ecd67475_v0-v1_add_b1.csv':
        'mpid,identity_type,identity_value,operation\n7,phone,+12025550101,add\n',
      '/uploads/acme/Spring-buyers-ecd67475_v1-v2_remove_b2.csv':
        'mpid,identity_type,identity_value,operation\n7,phone,+12025550101,remove\n',
    });
  });

  it('can look as LiveRamp wants them: a row per member, quoted columns, hashes, date in the name, packed', async () => {
    const { server, ctx } = await rig(
      {
        directory: '/uploads',
        rows: 'member',
        delimiter: 'pipe',
        compression: 'gzip',
        fileName: '{date}/Acme_{audience}_{date}_{batch}',
        columns: [
          { header: 'CCID', from: 'mpid' },
          { header: 'EMAIL1', from: 'email' },
          { header: 'EMAIL2', from: 'email' },
          { header: 'SHA256', from: 'email', encoding: 'sha256' },
          { header: 'Spring buyers', from: 'text', text: '1' },
        ],
      },
      { connection: { name: 'spring' } },
    );
    const email = ['a|b@example.com', 'ada@example.com', 'eve@example.com'];
    await sftp.audience.add(ctx, audience, batchOf([{ mpid: '7', identities: { email } }]));
    const [[path, body] = []] = [...server.files.files].filter(([name]) => name.endsWith('.gz'));
    expect(path).toBe('/uploads/2026-01-01/Acme_spring_2026-01-01_b1.psv.gz');
    const lines = gunzipSync(body ?? Buffer.alloc(0))
      .toString()
      .split('\n');
    expect(lines[0]).toBe('CCID|EMAIL1|EMAIL2|SHA256|Spring buyers');
    expect(lines[1]).toBe(`7|"a|b@example.com"|ada@example.com|${sha256(email[0])}|1`);
    expect(lines[2]).toBe(`7|eve@example.com||${sha256(email[1])}|1`);
    expect(lines[3]).toBe(`7|||${sha256(email[2])}|1`);
  });

  it('have a column for each attribute that the connection shares, behind all others', async () => {
    const { server, ctx } = await rig({});
    const shared = { ...ctx, attributes: ['Party', 'constructor'] };
    const email = ['ann@example.com', 'anna@example.com'];
    const ann = { mpid: '7', identities: { email }, attributes: { Party: 'Green, "new"' } };
    await sftp.audience.add(shared, audience, batchOf([ann]));
    await sftp.audience.remove?.(shared, audience, batchOf([{ ...ann, attributes: {} }], 2, 'b2'));
    const header = 'mpid,identity_type,identity_value,operation,Party,constructor\n';
    expect(server.files.texts()).toEqual({
      '/Spring-buyers-ecd67475_v0-v1_add_b1.csv':
        `${header}7,email,ann@example.com,add,"Green, ""new""",\n` +
        '7,email,anna@example.com,add,"Green, ""new""",\n',
      '/Spring-buyers-ecd67475_v1-v2_remove_b2.csv': `${header}7,email,ann@example.com,remove,,\n7,email,anna@example.com,remove,,\n`,
    });
  });

  it('with everybody have them too, on each row of a member and where nobody is left', async () => {
    const columns = [{ header: 'EMAIL', from: 'email' as const }];
    const { server, ctx, replace } = await rig({
      content: 'members',
      rows: 'member',
      columns,
      delimiter: 'tab',
    });
    const shared = { ...ctx, attributes: ['Party'] };
    await replace.write(shared, audience, batchOf([{ ...member(0), attributes: { Party: 'Green' } }]), 0);
    await replace.write(shared, audience, batchOf([member(1)]), 1);
    await replace.finish(shared, audience, { toVersion: 1, parts: 2, members: 2 });
    const path = '/Spring-buyers-ecd67475.tsv';
    expect(server.files.texts()[path]).toBe(
      'EMAIL\tParty\nperson-0@example.com\tGreen\nother-0@example.com\tGreen\n' +
        'person-1@example.com\t\nother-1@example.com\t\n',
    );
    await replace.finish(shared, audience, { toVersion: 2, parts: 0, members: 0 });
    expect(server.files.texts()[path]).toBe('EMAIL\tParty\n');
  });

  it.each([true, false])(
    'hold everybody, replaced whole by each version (server renames over files: %s)',
    async (posixRename) => {
      const { server, ctx, replace } = await rig({ content: 'members' }, { habits: { posixRename } });
      await replace.write(ctx, audience, batchOf([member(0)]), 0);
      await replace.write(ctx, audience, batchOf([member(1)]), 1);
      await replace.finish(ctx, audience, { toVersion: 1, parts: 2, members: 2 });
      const path = '/Spring-buyers-ecd67475.csv';
      expect(server.files.texts()).toEqual({
        [path]:
          'mpid,identity_type,identity_value\n1000,email,person-0@example.com\n1000,email,other-0@example.com\n' +
          '1001,email,person-1@example.com\n1001,email,other-1@example.com\n',
      });
      await replace.finish(ctx, audience, { toVersion: 2, parts: 0, members: 0 });
      expect(server.files.texts()).toEqual({ [path]: 'mpid,identity_type,identity_value\n' });
      await sftp.audience.delete?.(ctx, audience);
      expect([...server.files.files.keys()]).toEqual([]);
    },
  );

  it('make one packed file out of packed parts', async () => {
    const { server, ctx, replace } = await rig({ content: 'members', compression: 'gzip', header: false });
    await replace.write(ctx, audience, batchOf([member(0)]), 0);
    await replace.write(ctx, audience, batchOf([member(1)]), 1);
    await replace.finish(ctx, audience, { toVersion: 1, parts: 2, members: 2 });
    const body = server.files.read('/Spring-buyers-ecd67475.csv.gz');
    expect(gunzipSync(body).toString().split('\n')).toHaveLength(5);
  });

  it('are cut to what was written last, where a repeated part came out shorter', async () => {
    const { server, ctx, replace } = await rig({ content: 'members', header: false });
    await replace.write(ctx, audience, batchOf([member(0), member(1)]), 0);
    await replace.write(ctx, audience, batchOf([member(2), member(3)]), 1);
    await replace.write(ctx, audience, batchOf([member(2)]), 1);
    await replace.finish(ctx, audience, { toVersion: 1, parts: 2, members: 3 });
    expect(server.files.texts()['/Spring-buyers-ecd67475.csv']?.split('\n')).toHaveLength(7);
  });

  it('are not finished where parts went missing', async () => {
    const { server, ctx, replace } = await rig({ content: 'members' });
    await replace.write(ctx, audience, batchOf([member(0)]), 0);
    const lost = { kind: 'config', code: 'PARTS_MISSING' };
    const whole = { toVersion: 1, parts: 2, members: 2 };
    await expect(replace.write(ctx, audience, batchOf([member(0)]), 2)).rejects.toMatchObject(lost);
    await expect(replace.finish(ctx, audience, whole)).rejects.toMatchObject(lost);
    for (const path of [...server.files.files.keys()].filter((name) => name.endsWith('.part'))) {
      server.files.delete(path);
    }
    await expect(replace.write(ctx, audience, batchOf([member(0)]), 1)).rejects.toMatchObject(lost);
    await expect(replace.finish(ctx, audience, { ...whole, parts: 1 })).rejects.toMatchObject(lost);
  });

  it('of changes are kept when the connection is deleted, and nothing of the hub is', async () => {
    const { server, ctx } = await rig({});
    await sftp.audience.add(ctx, audience, batchOf([member(0)]));
    await sftp.audience.delete?.(ctx, audience);
    expect([...server.files.files.keys()]).toEqual(['/Spring-buyers-ecd67475_v0-v1_add_b1.csv']);
  });

  it('keep the date on which the delivery began, however late it is tried again', async () => {
    const { server, ctx } = await rig({ fileName: '{audience}_{date}_{time}_{batch}' });
    await sftp.audience.add(ctx, audience, batchOf([member(0)]));
    const later = { ...ctx, now: () => new Date('2026-01-02T00:00:00Z') };
    await sftp.audience.add(later, audience, batchOf([member(0)]));
    await sftp.audience.add(later, audience, batchOf([member(1)], 1, 'b2'));
    await sftp.audience.add(later, audience, batchOf([member(1)], 2, 'b3'));
    expect(Object.keys(server.files.texts())).toEqual([
      '/Spring-buyers-ecd67475_2026-01-01_120000_b1.csv',
      '/Spring-buyers-ecd67475_2026-01-01_120000_b2.csv',
      '/Spring-buyers-ecd67475_2026-01-02_000000_b3.csv',
    ]);
  });

  it('do not come a second time after the partner took them away', async () => {
    const { server, ctx } = await rig({});
    await sftp.audience.add(ctx, audience, batchOf([member(0)]));
    server.files.delete('/Spring-buyers-ecd67475_v0-v1_add_b1.csv');
    await sftp.audience.add(ctx, audience, batchOf([member(0)]));
    expect(server.files.texts()).toEqual({});
  });

  it.each(['changes', 'members'] as const)(
    'come out the same wherever the connection breaks (%s)',
    async (content) => {
      const undisturbed = await deliver(content, Number.POSITIVE_INFINITY);
      expect(undisturbed.steps).toBeGreaterThan(10);
      for (let last = 0; last < undisturbed.steps; last += 1) {
        const { texts } = await deliver(content, last);
        expect({ last, texts }).toEqual({ last, texts: undisturbed.texts });
      }
    },
    60_000,
  );
});

function sha256(text = ''): string {
  return createHash('sha256').update(text).digest('hex');
}

/** Delivers two versions; all that a plugin knows is on the server. The connection breaks before step number `deadly`, and the call is made again. */
async function deliver(content: 'changes' | 'members', deadly: number) {
  // Both ways of renaming get their turn.
  const posixRename = content === 'changes';
  const onStep = () => (server.steps - 1 === deadly ? ('cut' as const) : undefined);
  const { server, ctx, replace } = await rig(
    { content, directory: 'in' },
    { habits: { posixRename, onStep } },
  );
  const steps: (() => Promise<unknown>)[] = [];
  for (const [toVersion, parts] of [
    [1, 2],
    [2, 1],
  ] as const) {
    const batches = Array.from({ length: parts }, (_, part) =>
      batchOf([member(toVersion * 10 + part)], toVersion, `b${toVersion}${part}`),
    );
    if (content === 'changes') {
      steps.push(...batches.map((batch) => () => sftp.audience.add(ctx, audience, batch)));
    } else {
      steps.push(...batches.map((batch, part) => () => replace.write(ctx, audience, batch, part)));
      steps.push(() => replace.finish(ctx, audience, { toVersion, parts, members: parts }));
    }
  }
  for (const step of steps) {
    await step().catch((error: Error & { kind?: string }) => {
      if (error.kind !== 'retryable') throw error;
      return step();
    });
  }
  return { texts: server.files.texts(), steps: server.steps };
}
