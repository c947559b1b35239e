import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { FAULT_CODES, SKIP_CODES } from './codes.js';

const ROOT = new URL('../../../', import.meta.url).pathname;

/** All TypeScript of the hub and its plugins but specs, the testing kit and the list of codes itself. */
function sources(): string[] {
  return ['src', 'plugins'].flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
      .filter(
        (path) =>
          path.endsWith('.ts') && !/\.(?:spec|suite)\.ts$|testing|faults\/codes|kit\/fault/.test(path),
      )
      .map((path) => readFileSync(join(ROOT, folder, path), 'utf8')),
  );
}

/** Codes that are written where a ConnectorError is made. */
function raised(): Set<string> {
  const made = /(?:fault\.\w+|new ConnectorError)\(\s*(?:'[a-z_]+',\s*)?'([A-Z][A-Z0-9_]+)'/g;
  return new Set(sources().flatMap((text) => [...text.matchAll(made)].map(([, code]) => String(code))));
}

function documented(): Map<string, string> {
  const page = readFileSync(join(ROOT, 'docs/faults.md'), 'utf8');
  const rows = [...page.matchAll(/^\| `([A-Z_]+)`\s*\| `([a-z_]+)`\s*\|/gm)];
  expect(rows.length).toBe(new Set(rows.map(([, code]) => code)).size);
  return new Map(rows.map(([, code, kind]) => [String(code), String(kind)]));
}

describe('the catalogue of fault codes', () => {
  it('is what docs/faults.md lists: every code, its kind, and nothing else', () => {
    expect(Object.fromEntries(documented())).toEqual(FAULT_CODES);
  });

  it('holds every code that a source raises (add what is missing here, and to docs/faults.md)', () => {
    expect([...raised()].filter((code) => !(code in FAULT_CODES))).toEqual([]);
  });

  it('holds no code that no source knows', () => {
    const text = sources().join('\n');
    const known = [...Object.keys(FAULT_CODES), ...SKIP_CODES];
    expect(known.filter((code) => !text.includes(`'${code}'`))).toEqual([]);
  });

  it('explains why members are skipped', () => {
    const page = readFileSync(join(ROOT, 'docs/faults.md'), 'utf8');
    expect(SKIP_CODES.filter((code) => !page.includes(`| \`${code}\``))).toEqual([]);
  });
});
