import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { FILES_WITH_BAD_ROWS, GOOD, ODD_FILES, ODD_NAMES, UNUSABLE_FILES } from './support/bad-files.js';
import { expectAccounted } from './support/expect-accounted.js';
import { startTestHub, type TestHub } from './support/hub.js';
import { type EndedImport, formOf, importOfPush, makeL2Account, postUniverse, signed } from './support/l2.js';

let hub: TestHub;

beforeAll(async () => {
  hub = await startTestHub();
  await makeL2Account(hub, '123456');
});

afterAll(() => hub.stop());

/** Sends a signed universe, and waits for the end of its import. */
async function importOf(name: string, file: string | Uint8Array): Promise<EndedImport> {
  const { type, body } = await formOf(`IQM_123456_${name}`, file);
  return importOfPush(hub, await postUniverse(hub.url, type, body, signed(body)));
}

const sizeOf = async (id: number) => (await hub.ok<{ size: number }>('GET', `/audiences/${id}`)).size;

describe('a universe that cannot be used', () => {
  it.each(UNUSABLE_FILES)(
    'fails with a clear error where it has %s, and the members stay',
    async (what, file, code) => {
      const first = await importOf(what, GOOD);
      expect(first).toMatchObject({ state: 'published', error: null });
      const second = await importOf(what, file);
      expect(second).toMatchObject({ state: 'failed', error: { code } });
      expect(second.error?.message.length).toBeGreaterThan(20);
      expect(second.error?.message).not.toMatch(/ann@|bob@|\bRed\b/);
      expect(await sizeOf(first.audienceId)).toBe(3);
      const corrected = await importOf(what, `${GOOD}dan@example.com\n`);
      expect(corrected).toMatchObject({ state: 'published', audienceId: first.audienceId });
      expect(await sizeOf(first.audienceId)).toBe(4);
    },
  );
});

describe('a universe with bad rows', () => {
  it.each(FILES_WITH_BAD_ROWS)(
    'is taken but for those, and accounts for them, where it has %s',
    async (what, file, reasons, accepted) => {
      const done = await importOf(what, file);
      await expectAccounted(hub, done, reasons, accepted);
    },
  );

  it.each(ODD_FILES)('is read whole where it has %s', async (what, file) => {
    const done = await importOf(what, file);
    expect(done).toMatchObject({ state: 'published', rows: { read: 3, accepted: 3, rejected: 0 } });
  });
});

describe('the name of a universe', () => {
  it.each(ODD_NAMES)('with %s names its audience as it is', async (_, name) => {
    const done = await importOf(name, GOOD);
    expect(done).toMatchObject({ state: 'published' });
    expect(await hub.ok('GET', `/audiences/${done.audienceId}`)).toMatchObject({ name, kind: 'segmented' });
  });
});
