import { describe, expect, it } from '@jest/globals';
import { assert, property, string } from 'fast-check';
import { batchFrom, type OutputMember } from '../../src/kit/index.js';
import { describeOutput, Evidence, MemoryDestination, testConnect } from '../../src/kit/testing/index.js';
import { file } from './index.js';
import { fileNameOf } from './naming.js';

const member = (index: number): OutputMember => ({
  mpid: String(1000 + index),
  identities: { email: [`person-${index}@example.com`, `other-${index}@example.com`] },
});

for (const format of ['csv', 'ndjson'] as const) {
  for (const content of ['members', 'changes'] as const) {
    describeOutput(
      file,
      {
        settings: () => ({ destination: '/exports', format, content }),
        credentials: (canary) => ({ accessKeyId: `id-${canary}`, secretAccessKey: canary }),
        connection: {},
        member,
      },
      `${content} as ${format}`,
    );
  }
}

describe('the file output', () => {
  const audience = { externalId: 'a', name: 'Spring: "buyers"' };
  const batch = (members: OutputMember[], toVersion = 1) =>
    batchFrom({ id: 'b:1', members, fromVersion: toVersion - 1, toVersion });

  it('keeps one file with the current members, a row per identity', async () => {
    const { destination, ctx, replace } = rig({ destination: '/exports' });
    await replace.write(ctx, audience, batch([member(0)]), 0);
    await replace.write(ctx, audience, batch([{ mpid: '7', identities: { customer_id: ['a,b'] } }]), 1);
    await replace.finish(ctx, audience, { toVersion: 1, parts: 2, members: 2 });
    expect(destination.texts()).toEqual({
      'Spring%3A %22buyers%22.csv':
        'mpid,identity_type,identity_value\n1000,email,person-0@example.com\n' +
        '1000,email,other-0@example.com\n7,customer_id,"a,b"\n',
    });
  });

  it('replaces the file whole: nobody of the version before is left, not even with nobody in the new one', async () => {
    const { destination, ctx, replace } = rig({ destination: '/exports', format: 'ndjson' });
    await replace.write(ctx, audience, batch([member(0)]), 0);
    await replace.finish(ctx, audience, { toVersion: 1, parts: 1, members: 1 });
    await replace.finish(ctx, audience, { toVersion: 2, parts: 0, members: 0 });
    expect(destination.texts()).toEqual({ 'Spring%3A %22buyers%22.ndjson': '' });
  });

  it('can be killed at any write and run again', async () => {
    const undisturbed = await deliver(Number.POSITIVE_INFINITY);
    for (let lastWrite = 0; lastWrite < undisturbed.writes; lastWrite += 1) {
      const { texts } = await deliver(lastWrite);
      expect({ lastWrite, texts }).toEqual({ lastWrite, texts: undisturbed.texts });
    }
  });

  it('refuses to finish where parts went missing, and names the first', async () => {
    const { ctx, replace } = rig({ destination: '/exports' });
    await replace.write(ctx, audience, batch([member(0)]), 0);
    await expect(replace.finish(ctx, audience, { toVersion: 1, parts: 2, members: 2 })).rejects.toMatchObject(
      {
        kind: 'config',
        code: 'PARTS_MISSING',
        message: expect.stringContaining('1 of 2 parts of version 1'),
      },
    );
  });

  it('writes a file per batch of changes, under the versions it leads from and to', async () => {
    const { destination, ctx } = rig({ destination: '/exports', content: 'changes' });
    const one = { mpid: '7', identities: { phone: ['+12025550101'] } };
    await file.audience.add(ctx, audience, batch([one]));
    await file.audience.remove?.(ctx, audience, batch([one], 2));
    expect(destination.texts()).toEqual({
      'Spring%3A %22buyers%22/changes/v0-v1/add-b%3A1.csv':
        'mpid,identity_type,identity_value,operation\n7,phone,+12025550101,add\n',
      'Spring%3A %22buyers%22/changes/v1-v2/remove-b%3A1.csv':
        'mpid,identity_type,identity_value,operation\n7,phone,+12025550101,remove\n',
    });
  });

  it('has a column for each attribute that the connection shares, behind all others', async () => {
    const { destination, ctx, replace } = rig({ destination: '/exports' });
    const shared = { ...ctx, attributes: ['Party', 'constructor'] };
    const ann = {
      mpid: '7',
      attributes: { Party: 'Green, "new"' },
      identities: { email: ['ann@example.com'] },
    };
    const bob = { mpid: '8', identities: { email: ['bob@example.com'] } };
    await replace.write(shared, audience, batch([ann, bob]), 0);
    await replace.finish(shared, audience, { toVersion: 1, parts: 1, members: 2 });
    const changes = { ...shared, settings: { ...ctx.settings, content: 'changes' as const } };
    await file.audience.add(changes, audience, batch([ann]));
    const ndjson = { ...changes, settings: { ...changes.settings, format: 'ndjson' as const } };
    await file.audience.add(ndjson, audience, batch([ann]));
    const texts = Object.values(destination.texts()).filter((text) => text.includes('ann'));
    expect(texts.sort()).toEqual([
      'mpid,identity_type,identity_value,Party,constructor\n7,email,ann@example.com,"Green, ""new""",\n8,email,bob@example.com,,\n',
      'mpid,identity_type,identity_value,operation,Party,constructor\n7,email,ann@example.com,add,"Green, ""new""",\n',
      `${JSON.stringify({
        mpid: '7',
        identity_type: 'email',
        identity_value: 'ann@example.com',
        operation: 'add',
        attributes: ann.attributes,
      })}\n`,
    ]);
  });

  it('takes the file away when the audience is deleted, and keeps the record of changes', async () => {
    const { destination, ctx, replace } = rig({ destination: '/exports' });
    await destination.put('Spring%3A %22buyers%22/changes/v0-v1/add-1.csv', 'kept');
    await replace.write(ctx, audience, batch([member(0)]), 0);
    await replace.finish(ctx, audience, { toVersion: 1, parts: 1, members: 1 });
    await file.audience.delete?.(ctx, audience);
    expect(await destination.list('')).toEqual(['Spring%3A %22buyers%22/changes/v0-v1/add-1.csv']);
  });

  it('is named by the connection where that says so', async () => {
    const { destination, ctx, replace } = rig({ destination: '/exports' });
    await replace.finish({ ...ctx, connection: { fileName: 'buyers' } }, audience, {
      toVersion: 1,
      parts: 0,
      members: 0,
    });
    expect(await destination.list('b')).toEqual(['buyers.csv']);
  });

  it('takes folders and buckets, and no other address', () => {
    const accepts = (destination: string) => file.settings.safeParse({ destination }).success;
    expect(['/exports', './exports', 's3://bucket/prefix', 's3://', 'ftp://host/x', ''].map(accepts)).toEqual(
      [true, true, true, false, false, false],
    );
  });

  /** Delivers two versions; the process dies at write number `deadly`, and a new one repeats the call. */
  async function deliver(deadly: number): Promise<{ texts: unknown; writes: number }> {
    let writes = 0;
    const { destination, ctx, replace } = rig({ destination: '/exports' }, () => {
      writes += 1;
      return writes - 1 === deadly ? AbortSignal.abort(new Error('killed')) : new AbortController().signal;
    });
    for (const toVersion of [1, 2]) {
      const steps = [
        () => replace.write(ctx, audience, batch([member(toVersion)], toVersion), 0),
        () => replace.write(ctx, audience, batch([member(toVersion + 10)], toVersion), 1),
        () => replace.finish(ctx, audience, { toVersion, parts: 2, members: 2 }),
      ];
      for (const step of steps) {
        await step().catch((error: Error) => {
          if (error.message !== 'killed') throw error;
          return step();
        });
      }
    }
    return { texts: destination.texts(), writes };
  }

  function rig(settings: Parameters<typeof file.settings.parse>[0], signalOfWrite?: () => AbortSignal) {
    const destination = new MemoryDestination(signalOfWrite);
    const { replace } = file.audience;
    if (!replace) throw new Error('The file output takes whole states.');
    const ctx: Parameters<typeof file.audience.add>[0] = {
      settings: file.settings.parse(settings),
      credentials: {},
      connection: {},
      connectionId: 'connection-1',
      runId: 'run-1',
      http: { request: () => Promise.reject(new Error('The file output makes no requests.')) },
      connect: testConnect(new AbortController().signal),
      destination: () => destination,
      log: new Evidence().log,
      signal: new AbortController().signal,
      now: () => new Date(),
    };
    return { destination, ctx, replace };
  }
});

describe('names of files', () => {
  it('differ where the texts differ, and stay within one folder and the length that file systems take', () => {
    assert(
      property(
        string({ unit: 'binary', maxLength: 300 }),
        string({ unit: 'binary', maxLength: 300 }),
        (one, other) => {
          const name = fileNameOf(one);
          expect(name === fileNameOf(other)).toBe(one === other);
          expect(name).not.toMatch(/[/\\\p{Cc}]|^\./u);
          expect(Buffer.byteLength(name)).toBeLessThanOrEqual(200);
        },
      ),
    );
  });

  it('of long texts that begin alike are told apart', () => {
    const long = '🎯'.repeat(100);
    expect(fileNameOf(`${long}1`)).not.toBe(fileNameOf(`${long}2`));
  });
});
