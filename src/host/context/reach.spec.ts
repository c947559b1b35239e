import { mkdir, mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { defineInput } from '../../kit/index.js';
import { EgressGuard } from '../../platform/http/index.js';
import { assertWithinReach } from './index.js';

const about = {
  id: 'spec-input',
  name: 'Spec input',
  description: 'For the spec',
  version: '1.0.0',
  settings: z.object({ folder: z.string(), url: z.string() }),
  credentials: z.object({}),
  check: async () => undefined,
  trigger: { type: 'schedule' as const, list: () => (async function* () {})() },
  open: () => Promise.reject(new Error('not used')),
};
const silent = defineInput(about);
const telling = defineInput({ ...about, folders: ({ folder }) => [folder], egressUrls: ({ url }) => [url] });

let base: string;

beforeAll(async () => {
  base = await mkdtemp(join(tmpdir(), 'hub-reach-'));
  await mkdir(join(base, 'first'));
  await mkdir(join(base, 'second/..inside'), { recursive: true });
  await symlink(join(base, 'second'), join(base, 'linked'));
});

afterAll(() => rm(base, { recursive: true, force: true }));

/** @param roots by their names; absent: any */
function reach(connector: typeof silent, folder: string, roots?: string[], url = 'https://1.1.1.1/') {
  const dropRoots = roots?.map((root) => join(base, root));
  const guard = new EgressGuard({ allowPrivate: false });
  return assertWithinReach(connector, { folder: join(base, folder), url }, { guard, dropRoots });
}

describe('where a connector may go', () => {
  it.each([
    ['the root itself', 'first', ['first']],
    ['a folder in one of several roots', 'second/drop', ['first', 'second']],
    ['a folder whose name begins with two points', 'second/..inside', ['second']],
    ['a folder of a root that is a link', 'second/..inside', ['linked']],
    ['a link in a root to another root', 'linked/..inside', ['second']],
    ['a folder and a root that are not there yet', 'later/drop', ['later']],
    ['any folder where there are no roots', '..', undefined],
  ])('is %s', async (_, folder, roots) => {
    await expect(reach(telling, folder, roots)).resolves.toBeUndefined();
  });

  it.each([
    ['the folder around a root', '.', ['first']],
    ['a root beside', 'second', ['first']],
    ['anything where the roots are none', 'first', []],
  ])('is not %s', async (_, folder, roots) => {
    await expect(reach(telling, folder, roots)).rejects.toMatchObject({
      kind: 'config',
      code: 'FOLDER_REFUSED',
    });
  });

  it('is said with all roots where a folder is refused', async () => {
    const roots = `${join(base, 'first')}, ${join(base, 'second')}.`;
    await expect(reach(telling, 'third', ['first', 'second'])).rejects.toThrow(
      `${join(base, 'third')} is outside of the folders the hub may use (HUB_DROP_ROOTS): ${roots}`,
    );
  });

  it('is no address that the hub may not speak to', async () => {
    const refused = { kind: 'config', code: 'EGRESS_REFUSED' };
    await expect(reach(telling, 'first', ['first'], 'http://127.0.0.1/')).rejects.toMatchObject(refused);
  });

  it('is of no concern to a connector that names neither folders nor addresses', async () => {
    await expect(reach(silent, 'second', ['first'], 'http://127.0.0.1/')).resolves.toBeUndefined();
  });
});
