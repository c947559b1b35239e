import { readdirSync, readFileSync, statSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { WORK_KINDS } from '../src/app/work-kinds.js';
import { packageRoot } from '../src/platform/package-root.js';

/** Rooms of src/, in order: each imports only itself and what stands before it. */
const ROOMS = ['kit', 'domain', 'platform', 'host', 'features', 'app'] as const;
/** Lines that a file may have, but for comments and blank ones. */
const MAX_LINES = 300;
const KEBAB_CASE = /^[a-z0-9]+(?:[-.][a-z0-9]+)*$/;

interface Source {
  /** From the root of the project, with slashes: `src/kit/index.ts`. */
  path: string;
  text: string;
  /** Specifiers of imports and re-exports; relative ones as paths from the root. */
  imports: string[];
  isTest: boolean;
}

const sources: Source[] = ['src', 'plugins', 'test', 'bench'].flatMap((folder) => sourcesIn(folder));

function sourcesIn(folder: string): Source[] {
  const root = join(packageRoot, folder);
  return readdirSync(root, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts') && statSync(join(root, name)).isFile())
    .map((name) => readSource(join(root, name)));
}

function readSource(file: string): Source {
  const text = readFileSync(file, 'utf8');
  const specifiers = text.matchAll(
    /^(?:import|export)\b[^'";]*?from '([^']+)'|^import '([^']+)'|\bimport\('([^']+)'\)/gms,
  );
  const path = relative(packageRoot, file);
  return {
    path,
    text,
    imports: [...specifiers].map((match) => rooted(file, match[1] ?? match[2] ?? match[3] ?? '')),
    isTest: /\.(?:spec|suite)\.ts$|\/testing\//.test(path) || /^(?:test|bench)\//.test(path),
  };
}

function rooted(file: string, specifier: string): string {
  if (!specifier.startsWith('.')) return specifier;
  return relative(packageRoot, resolve(dirname(file), specifier)).replace(/\.js$/, '.ts');
}

function roomOf(path: string): number {
  const match = /^src\/([a-z]+)\//.exec(path);
  return ROOMS.findIndex((room) => room === match?.[1]);
}

function isPackage(specifier: string): boolean {
  return !/^(?:src|plugins|test|bench|scripts)\//.test(specifier);
}

/** Counted as the linter does. */
function linesOfCode(text: string): number {
  const withoutBlocks = text.replaceAll(/^\s*\/\*[\s\S]*?\*\/\s*$/gm, '');
  return withoutBlocks.split('\n').filter((line) => !/^\s*(?:\/\/.*)?$/.test(line)).length;
}

/** `src/features/audiences/…` → `audiences`. */
function featureOf(path: string): string | undefined {
  return /^src\/features\/([a-z0-9-]+)\//.exec(path)?.[1];
}

/** One line of advice for every import that `forbids` finds a fault with. */
function faultsOfImports(
  files: Source[],
  forbids: (from: Source, to: string) => string | undefined,
): string[] {
  return files.flatMap((from) =>
    from.imports.flatMap((to) => {
      const advice = forbids(from, to);
      return advice ? [`${from.path} imports ${to}: ${advice}`] : [];
    }),
  );
}

describe('imports', () => {
  it('go one way: kit, domain, platform, host, features, app', () => {
    const faults = faultsOfImports(
      sources.filter(({ path, isTest }) => roomOf(path) >= 0 && !isTest),
      (from, to) => {
        if (roomOf(to) <= roomOf(from.path)) return undefined;
        const room = ROOMS[roomOf(from.path)];
        return `${room} may not know ${ROOMS[roomOf(to)]}. Move the code to where it belongs, or pass it in as an argument.`;
      },
    );
    expect(faults).toEqual([]);
  });

  it('of a feature reach another feature through its index.ts only', () => {
    const faults = faultsOfImports(
      sources.filter(({ path }) => featureOf(path) !== undefined),
      ({ path }, to) => {
        const feature = featureOf(to);
        if (feature === undefined || feature === featureOf(path)) return undefined;
        if (to === `src/features/${feature}/index.ts`) return undefined;
        return `import from features/${feature}/index.js, and export there what others may use.`;
      },
    );
    expect(faults).toEqual([]);
  });

  it('of a plugin are the kit, packages, and its own files', () => {
    const own = (path: string) => /^plugins\/([a-z0-9-]+)\//.exec(path)?.[1];
    const kit = new Set(['src/kit/index.ts', 'src/kit/testing/index.ts']);
    const faults = faultsOfImports(
      sources.filter(({ path }) => own(path) !== undefined),
      ({ path, isTest }, to) => {
        if (isPackage(to) || kit.has(to) || own(to) === own(path)) return undefined;
        if (isTest && to.startsWith('test/support/')) return undefined;
        return "a plugin imports src/kit/index.js and its vendor's library only; what it needs of the host comes in its Context.";
      },
    );
    expect(faults).toEqual([]);
  });

  it('of plugins/ are made by src/app only', () => {
    const faults = faultsOfImports(
      sources.filter(
        ({ path, isTest }) => path.startsWith('src/') && !path.startsWith('src/app/') && !isTest,
      ),
      (_, to) => (to.startsWith('plugins/') ? 'ask the PluginRegistry for the plugin instead.' : undefined),
    );
    expect(faults).toEqual([]);
  });

  it('of tests, benches and scripts are made by none of the product', () => {
    const faults = faultsOfImports(
      sources.filter(({ path, isTest }) => /^(?:src|plugins)\//.test(path) && !isTest),
      (_, to) => (/^(?:test|bench|scripts)\//.test(to) ? 'move what is needed to src/.' : undefined),
    );
    expect(faults).toEqual([]);
  });

  it('of the domain do no I/O', () => {
    const allowed = new Set(['node:crypto', 'node:path', 'node:util', 'node:buffer']);
    const faults = faultsOfImports(
      sources.filter(({ path, isTest }) => path.startsWith('src/domain/') && !isTest),
      (_, to) => {
        const builtin = builtinModules.includes(to.replace(/^node:/, ''));
        return builtin && !allowed.has(to)
          ? 'the domain is pure rules. Do the I/O in platform or a feature and pass the result in.'
          : undefined;
      },
    );
    expect(faults).toEqual([]);
  });
});

describe('files', () => {
  it(`have at most ${MAX_LINES} lines`, () => {
    const long = sources
      .map(({ path, text }) => ({ path, lines: linesOfCode(text) }))
      .filter(({ lines }) => lines > MAX_LINES)
      .map(({ path, lines }) => `${path} has ${lines} lines: split it by concern.`);
    expect(long).toEqual([]);
  });

  it('are kebab-case', () => {
    const odd = sources
      .filter(({ path }) => !KEBAB_CASE.test(basename(path, '.ts')))
      .map(({ path }) => `${path}: rename it to kebab-case, after what it exports.`);
    expect(odd).toEqual([]);
  });

  it('export by name', () => {
    const odd = sources
      .filter(({ text }) => /^export default /m.test(text))
      .map(({ path }) => `${path}: give the default export a name.`);
    expect(odd).toEqual([]);
  });

  it('import relative files with their .js', () => {
    const odd = sources.flatMap(({ path, text }) =>
      [...text.matchAll(/^(?:import|export)\b[^'";]*?from '(\.[^']*)'/gms)]
        .map((match) => String(match[1]))
        .filter((specifier) => !/\.(?:js|json)$/.test(specifier))
        .map((specifier) => `${path}: write '${specifier}' with its .js; Node resolves nothing by itself.`),
    );
    expect(odd).toEqual([]);
  });
});

describe('work that travels through the queue', () => {
  it('is of a kind that has a Bull queue', () => {
    const used = sources
      .filter(({ path, isTest }) => path.startsWith('src/features/') && !isTest)
      .flatMap(({ path, text }) =>
        [...text.matchAll(/\.enqueue\(\{ kind: '([a-z-]+)'|\.process\('([a-z-]+)'/g)].map((match) => ({
          path,
          kind: match[1] ?? match[2] ?? '',
        })),
      );
    const missing = used
      .filter(({ kind }) => !WORK_KINDS.some((known) => known === kind))
      .map(({ path, kind }) => `${path}: add '${kind}' to src/app/work-kinds.ts.`);
    expect(missing).toEqual([]);
    expect(used).not.toHaveLength(0);
  });
});
