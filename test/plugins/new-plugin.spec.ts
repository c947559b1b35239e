import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { check, resolveConfig } from 'prettier';

const run = promisify(execFile);
const repository = process.cwd();
let checkout: string;

beforeAll(async () => {
  checkout = await mkdtemp(join(tmpdir(), 'hub-new-plugin-'));
  for (const folder of ['src', 'node_modules'])
    await symlink(join(repository, folder), join(checkout, folder));
  await mkdir(join(checkout, 'plugins'));
  await cp(join(repository, 'plugins/index.ts'), join(checkout, 'plugins/index.ts'));
  await cp(join(repository, 'package.json'), join(checkout, 'package.json'));
});

afterAll(() => rm(checkout, { recursive: true, force: true }));

function newPlugin(...names: string[]) {
  return run(process.execPath, [join(repository, 'scripts/new-plugin.mjs'), ...names, '--into', checkout]);
}

describe('npm run new:plugin', () => {
  it('writes an output and an input that pass the contract tests before a line is edited', async () => {
    await newPlugin('output', 'acme-ads');
    await newPlugin('input', 'acme-drop');
    const { stderr } = await run(
      process.execPath,
      [
        '--experimental-vm-modules',
        '--no-warnings',
        join(repository, 'node_modules/jest/bin/jest.js'),
        '--config',
        JSON.stringify(await jestConfig()),
        '--ci=false',
        '--runInBand',
        'plugins/acme-',
      ],
      { cwd: checkout },
    );
    expect(stderr).toMatch(/Test Suites: 2 passed, 2 total/);
    expect(stderr).not.toMatch(/failed/);
  }, 120_000);

  it('keeps the registry in order and everything formatted', async () => {
    const registry = await readFile(join(checkout, 'plugins/index.ts'), 'utf8');
    expect(registry).toMatch(/^import \{ acmeAds \} from '\.\/acme-ads\/index\.js';\nimport \{ acmeDrop \}/);
    expect(registry).toMatch(/plugins = \[\s*acmeAds,\s*acmeDrop,/);
    const options = await resolveConfig(join(repository, 'plugins/index.ts'));
    const files = (await readdir(join(checkout, 'plugins'), { recursive: true })).filter((name) =>
      /\.(ts|md)$/.test(name),
    );
    expect(files).toHaveLength(7);
    for (const name of files) {
      const filepath = join(checkout, 'plugins', name);
      const formatted = await check(await readFile(filepath, 'utf8'), { ...options, filepath });
      expect({ name, formatted }).toEqual({ name, formatted: true });
    }
  });

  it.each([
    [['output', 'acme-ads'], 'lists "acme-ads" already'],
    [['output', 'AcmeAds'], 'not kebab-case'],
    [['output', 'new'], 'a word of the language'],
    [['sink', 'acme'], 'Usage:'],
    [['output'], 'Usage:'],
  ])('refuses %j and says why', async (names, reason) => {
    const before = await readFile(join(checkout, 'plugins/index.ts'), 'utf8');
    await expect(newPlugin(...names)).rejects.toMatchObject({
      code: 1,
      stderr: expect.stringContaining(reason),
    });
    expect(await readFile(join(checkout, 'plugins/index.ts'), 'utf8')).toBe(before);
  });
});

/** The repository's own configuration, for the plugins of the checkout alone. */
async function jestConfig(): Promise<object> {
  const { default: config } = (await import(join(repository, 'jest.config.mjs'))) as { default: object };
  return { ...config, rootDir: checkout, roots: [join(checkout, 'plugins')] };
}
