// npm run new:plugin -- output acme-ads
// Writes plugins/acme-ads (index.ts, index.spec.ts, README.md) from a template and adds the plugin to
// plugins/index.ts. The result passes the contract tests as it is. `--into DIR` writes into another checkout.
import { access, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const scripts = dirname(fileURLToPath(import.meta.url));
const KINDS = ['input', 'output'];
const USAGE =
  'Usage: npm run new:plugin -- input|output ID [--into DIR]    (ID in kebab-case, such as acme-ads)';
const RESERVED = new Set([
  'class',
  'default',
  'delete',
  'export',
  'function',
  'import',
  'new',
  'package',
  'plugins',
  'return',
  'switch',
]);

try {
  const { kind, id, root } = readArguments();
  const folder = join(root, 'plugins', id);
  const registry = join(root, 'plugins', 'index.ts');
  // The registry is worked out before anything is written: what cannot be finished is not begun.
  const registered = await formatted(withPlugin(await readFile(registry, 'utf8'), id), registry);
  await refuseExisting(folder);
  const files = await writeFromTemplate(kind, id, folder);
  await writeFile(registry, registered);
  for (const path of [...files, registry]) console.log(`wrote ${relative(process.cwd(), path)}`);
  console.log(`\nNext: npm run jest -- plugins/${id}`);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}

function readArguments() {
  const { values, positionals } = parseArgs({
    options: { into: { type: 'string' } },
    allowPositionals: true,
  });
  const [kind, id, ...rest] = positionals;
  if (!KINDS.includes(kind) || !id || rest.length > 0) throw new Error(USAGE);
  if (!/^[a-z][a-z0-9]*(?:-[a-z0-9]+)*$/.test(id)) throw new Error(`"${id}" is not kebab-case.\n${USAGE}`);
  if (RESERVED.has(id)) throw new Error(`"${id}" is a word of the language. Choose another id.`);
  return { kind, id, root: resolve(values.into ?? join(scripts, '..')) };
}

async function refuseExisting(folder) {
  const exists = await access(folder).then(
    () => true,
    () => false,
  );
  if (exists) throw new Error(`${folder} exists already. Choose another id, or remove the folder.`);
}

async function writeFromTemplate(kind, id, folder) {
  const templates = join(scripts, 'plugin-templates', kind);
  const names = { __ID__: id, __NAME__: titleOf(id), __EXPORT__: exportOf(id) };
  await mkdir(folder, { recursive: true });
  const written = [];
  for (const template of (await readdir(templates)).sort()) {
    const text = await readFile(join(templates, template), 'utf8');
    const path = join(folder, template.replace(/\.txt$/, ''));
    const filled = text.replace(/__(?:ID|NAME|EXPORT)__/g, (placeholder) => names[placeholder]);
    await writeFile(path, await formatted(filled, path), { flag: 'wx' });
    written.push(path);
  }
  return written;
}

/** Line breaks depend on how long the name is; without Prettier the text is right all the same. */
async function formatted(text, filepath) {
  const prettier = await import('prettier').catch(() => undefined);
  if (!prettier) return text;
  const options = await prettier.resolveConfig(join(scripts, 'x.ts'));
  return prettier.format(text, { ...options, filepath });
}

/** The text of plugins/index.ts with one plugin more, in the order of the ids. */
function withPlugin(text, id) {
  const list = /export const plugins = \[([^\]]*)\] as const;/.exec(text);
  const imports = [...text.matchAll(/^import \{ (\w+) \} from '\.\/([^/']+)\/index\.js';\n/gm)];
  if (!list || imports.length === 0) {
    throw new Error('plugins/index.ts has no `export const plugins = [ … ] as const;` to add the plugin to.');
  }
  if (imports.some(([, , folder]) => folder === id))
    throw new Error(`plugins/index.ts lists "${id}" already.`);
  const all = [...imports.map(([, name, folder]) => ({ name, folder })), { name: exportOf(id), folder: id }];
  all.sort((one, other) => (one.folder < other.folder ? -1 : 1));
  const importLines = all.map(({ name, folder }) => `import { ${name} } from './${folder}/index.js';\n`);
  const names = all.map(({ name }) => name);
  const rest = text.slice(imports.at(-1).index + imports.at(-1)[0].length);
  return (
    importLines.join('') + rest.replace(list[0], `export const plugins = [${names.join(', ')}] as const;`)
  );
}

/** acme-ads → acmeAds */
function exportOf(id) {
  return id.replace(/-([a-z0-9])/g, (_, letter) => letter.toUpperCase());
}

/** acme-ads → Acme Ads */
function titleOf(id) {
  return id.replace(
    /(?:^|-)([a-z0-9])/g,
    (match, letter) => (match.startsWith('-') ? ' ' : '') + letter.toUpperCase(),
  );
}
