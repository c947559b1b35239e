import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { startFauxqs, type FauxqsServer } from 'fauxqs';
import type { Destination } from '../../kit/index.js';
import { EgressGuard } from '../http/index.js';
import { Destinations } from './index.js';

const BUCKET = 'partner-files';
const failure = (kind: string, code: string) =>
  expect.objectContaining({ name: 'ConnectorError', kind, code });

/** The promises of the kit's Destination, on the empty one that `open` gives. */
function describeDestination(open: (signal?: AbortSignal) => Destination): void {
  it('writes, reads, lists, joins and deletes', async () => {
    const destination = open();
    await destination.put('a/1.csv', 'one\n');
    await destination.put('a/2.csv', Buffer.from('two\n'));
    await destination.concat('whole.csv', ['a/1.csv', 'a/2.csv']);
    expect(Buffer.from((await destination.get('whole.csv')) ?? []).toString()).toBe('one\ntwo\n');
    await destination.delete('a/1.csv');
    expect(await destination.list('')).toEqual(['a/2.csv', 'whole.csv']);
    expect(await destination.get('a/1.csv')).toBeUndefined();
  });

  it('refuses a key that leads out, as a fault of the data', async () => {
    await expect(open().put('../out', 'x')).rejects.toThrow(failure('permanent', 'INVALID_KEY'));
  });

  it('writes nothing of a body whose call is aborted on the way', async () => {
    const abort = new AbortController();
    const destination = open(abort.signal);
    async function* body() {
      yield Buffer.from('first');
      abort.abort();
      yield Buffer.from('second');
    }
    await expect(destination.put('cut', body())).rejects.toThrow(failure('retryable', 'ABORTED'));
    await expect(destination.list('')).rejects.toThrow(failure('retryable', 'ABORTED'));
    expect(await open().list('cut')).toEqual([]);
  });
}

describe('Destinations', () => {
  const guard = new EgressGuard({ allowPrivate: true });
  const opened: Destinations[] = [];
  const destinations = (rules: Partial<ConstructorParameters<typeof Destinations>[0]> = {}) => {
    const made = new Destinations({ guard, ...rules });
    opened.push(made);
    return made;
  };
  afterEach(() => {
    for (const each of opened.splice(0)) each.close();
  });

  describe('on a folder', () => {
    let folder: string;
    beforeEach(async () => {
      folder = await mkdtemp(join(tmpdir(), 'hub-destination-'));
    });
    afterEach(() => rm(folder, { recursive: true }));

    describeDestination((signal) => destinations().open(join(folder, 'out'), {}, signal));

    it('stays within the allowed folders', async () => {
      const allowed = destinations({ roots: [join(folder, 'out')] });
      await allowed.open(join(folder, 'out', 'partner')).put('a', 'x');
      expect(await readFile(join(folder, 'out', 'partner', 'a'), 'utf8')).toBe('x');
      for (const outside of [folder, join(folder, 'out-other'), join(folder, 'out', '..', 'x'), '/']) {
        expect(() => allowed.open(outside)).toThrow(failure('config', 'DESTINATION_REFUSED'));
      }
    });

    it('stays within them over a symbolic link too', async () => {
      await mkdir(join(folder, 'elsewhere'));
      await mkdir(join(folder, 'out'));
      await symlink(join(folder, 'elsewhere'), join(folder, 'out', 'link'));
      const allowed = destinations({ roots: [join(folder, 'out')] });
      const over = async () => allowed.open(join(folder, 'out', 'link')).put('a', 'x');
      await expect(over()).rejects.toThrow(failure('config', 'DESTINATION_REFUSED'));
      expect(await readdir(join(folder, 'elsewhere'))).toEqual([]);
    });

    it('says that a file is in the way', async () => {
      await writeFile(join(folder, 'out'), 'a file');
      await expect(destinations().open(join(folder, 'out')).put('a', 'x')).rejects.toThrow(
        failure('config', 'DESTINATION_UNUSABLE'),
      );
    });

    it.each(['out', './out', 'ftp://example.com/x', 's3://', 'https://example.com', ''])(
      'refuses %j, which is neither folder nor bucket',
      (url) => {
        expect(() => destinations().open(url)).toThrow(failure('config', 'DESTINATION_INVALID'));
      },
    );
  });

  describe('on a bucket', () => {
    let server: FauxqsServer;
    beforeAll(async () => {
      server = await startFauxqs({ port: 0, logger: false });
      server.createBucket(BUCKET);
    });
    afterAll(() => server.stop());

    const options = () => ({
      endpoint: server.address,
      region: 'us-east-1',
      credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    });
    let prefix = 0;
    beforeEach(() => {
      prefix += 1;
    });

    describeDestination((signal) => destinations().open(`s3://${BUCKET}/p${prefix}/`, options(), signal));

    it('tells a missing bucket as a fault of the settings', async () => {
      const missing = destinations().open('s3://no-such-bucket/x', options());
      await expect(missing.put('a', 'x')).rejects.toThrow(failure('config', 'BUCKET_UNUSABLE'));
    });

    it('does not connect to private endpoints unless that is allowed', async () => {
      const strict = destinations({ guard: new EgressGuard({ allowPrivate: false }) });
      expect(() => strict.open(`s3://${BUCKET}`, options())).toThrow(failure('config', 'EGRESS_REFUSED'));
      const byName = strict.open(`s3://${BUCKET}`, {
        ...options(),
        endpoint: `http://localhost:${server.port}`,
      });
      await expect(byName.put('a', 'x')).rejects.toThrow(failure('config', 'EGRESS_REFUSED'));
    });

    it('tells an endpoint where nobody listens as something to try again', async () => {
      const gone = destinations().open(`s3://${BUCKET}`, { ...options(), endpoint: 'http://127.0.0.1:9' });
      await expect(gone.put('a', 'x')).rejects.toThrow(failure('retryable', 'CONNECTION_REFUSED'));
    });
  });
});
