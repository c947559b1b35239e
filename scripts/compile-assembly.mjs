/**
 * `npm run assembly`: compiles `assembly` to WebAssembly, and keeps it as text in the source tree, so that
 * whoever builds the hub needs no compiler for it (100 MB). The compiler is got for the purpose.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { root } from './prepare.mjs';

const COMPILER = 'assemblyscript@0.28.20';
const FLAGS = [
  '-O3',
  '--initialMemory',
  '1',
  '--enable',
  'simd',
  '--runtime',
  'stub',
  '--noAssert',
  '--use',
  'abort=',
];
const SOURCES = join(root, 'assembly');
const TARGET = join(root, 'src', 'domain', 'members', 'writer', 'compiled-writer.ts');
const LINE = 100;

const folder = mkdtempSync(join(tmpdir(), 'assembly-'));
try {
  const compiled = join(folder, 'writer.wasm');
  execFileSync(
    'npx',
    ['--yes', '--package', COMPILER, 'asc', join(SOURCES, 'member-writer.ts'), ...FLAGS, '-o', compiled],
    {
      cwd: folder,
      stdio: 'inherit',
    },
  );
  const sources = createHash('sha256');
  for (const name of readdirSync(SOURCES).sort()) sources.update(readFileSync(join(SOURCES, name)));
  const lines = readFileSync(compiled)
    .toString('base64')
    .match(new RegExp(`.{1,${LINE}}`, 'g'));
  const text = [
    `// Made by \`npm run assembly\` with ${COMPILER}. Not to be changed by hand.`,
    '',
    '/** SHA-256 of the files in `assembly`, of which this was compiled. */',
    'export const WRITER_SOURCE =',
    `  '${sources.digest('hex')}';`,
    '',
    '/** WebAssembly, in base64. */',
    'export const COMPILED_WRITER = [',
    ...lines.map((line) => `  '${line}',`),
    "].join('');",
    '',
  ].join('\n');
  writeFileSync(TARGET, text);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
