import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { loadExternalPlugins } from './external-plugins.js';

const OUTPUT = `{
  id: 'acme-ads', kind: 'output', name: 'Acme', description: 'Acme.', version: '1.0.0', check: async () => {},
  settings: z.object({}), credentials: z.object({}), connectionSettings: z.object({}),
  identities: [{ type: 'email', encoding: 'raw' }], limits: { batchSize: 10 },
  audience: { add: async () => ({ status: 'done', rejected: [] }) },
}`;
const INPUT = `{
  id: 'acme-drop', kind: 'input', name: 'Acme', description: 'Acme.', version: '1.0.0', check: async () => {},
  settings: z.object({}), credentials: z.object({}), trigger: { type: 'schedule', async *list() {} },
  open: async () => { throw new Error('nothing'); },
}`;

let cwd: string;

beforeAll(async () => {
  cwd = await mkdtemp(join(tmpdir(), 'hub-external-plugins-'));
  const zod = `import { z } from 'zod';\n`;
  await put(
    'plugins/named.mjs',
    `${zod}export const ads = ${OUTPUT};\nexport const limit = 3;\nexport const none = null;`,
  );
  await put('plugins/default.mjs', `${zod}const drop = ${INPUT};\nexport default drop;\nexport { drop };`);
  await put('plugins/folder/index.js', `${zod}export const plugins = [${OUTPUT}, ${INPUT}];`);
  await put('plugins/folder/package.json', '{"type":"module"}');
  await put('plugins/empty.mjs', 'export const answer = 42;');
  await put('plugins/broken.mjs', 'throw new Error("no such partner");');
  await put(
    'plugins/crooked.mjs',
    `${zod}export const crooked = { ...${OUTPUT}, id: 'Acme Ads', settings: {}, limits: {}, identities: [{ type: 'shoe_size', encoding: 'raw' }] };`,
  );
  await put(
    'node_modules/@acme/hub-plugin/package.json',
    '{"name":"@acme/hub-plugin","type":"module","main":"main.js"}',
  );
  await put('node_modules/@acme/hub-plugin/main.js', `${zod}export const drop = ${INPUT};`);
  await symlink(join(process.cwd(), 'node_modules/zod'), join(cwd, 'node_modules/zod'));
});

afterAll(() => rm(cwd, { recursive: true, force: true }));

async function put(path: string, text: string): Promise<void> {
  await mkdir(dirname(join(cwd, path)), { recursive: true });
  await writeFile(join(cwd, path), text);
}

async function idsOf(spec: string): Promise<string[]> {
  return (await loadExternalPlugins(spec, cwd)).map(({ id }) => id);
}

describe('plugins from outside', () => {
  it.each([
    ['a named export', './plugins/named.mjs', ['acme-ads']],
    ['a default export, once though it has a name too', './plugins/default.mjs', ['acme-drop']],
    ['a folder with an array of plugins', './plugins/folder', ['acme-ads', 'acme-drop']],
    ['a package', '@acme/hub-plugin', ['acme-drop']],
    [
      'a list, with spaces and an empty place',
      ' ./plugins/named.mjs , ,@acme/hub-plugin,',
      ['acme-ads', 'acme-drop'],
    ],
    ['nothing', '', []],
  ])('are taken from %s', async (_, spec, ids) => {
    expect(await idsOf(spec)).toEqual(ids);
  });

  it('are named with the reason where they cannot be loaded', async () => {
    await expect(idsOf('./plugins/missing.mjs')).rejects.toThrow(
      /^HUB_PLUGINS: "\.\/plugins\/missing\.mjs" could not be loaded from .+ENOENT/,
    );
    const broken = idsOf('./plugins/broken.mjs');
    await expect(broken).rejects.toThrow('no such partner');
    await expect(broken).rejects.toHaveProperty('cause.message', 'no such partner');
    await expect(idsOf('@acme/other')).rejects.toThrow('HUB_PLUGINS: "@acme/other" could not be loaded');
  });

  it('are refused where a module exports none, saying what was expected', async () => {
    await expect(idsOf('./plugins/empty.mjs')).rejects.toThrow(
      'HUB_PLUGINS: "./plugins/empty.mjs" exports no plugin. Expected an object made by defineInput() or defineOutput()',
    );
  });

  it('are refused with everything that is wrong with their shape', async () => {
    await expect(idsOf('./plugins/crooked.mjs')).rejects.toThrow(
      '"./plugins/crooked.mjs" exports "crooked", which is no plugin of this hub: id must be kebab-case; ' +
        'settings must be a z.object() of zod 4; ' +
        'identities must list at least one { type, encoding } of the hub; ' +
        'limits.batchSize must be a whole number above 0.',
    );
  });
});
