import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { ERRORS, HubError, notFound } from './index.js';

/** Rows of the table in docs/errors.md: `| CODE | status | … |`. */
function documented(): Map<string, number> {
  const page = readFileSync(new URL('../../../docs/errors.md', import.meta.url), 'utf8');
  const rows = [...page.matchAll(/^\| `([A-Z_]+)`\s*\|\s*(\d{3})\s*\|/gm)];
  return new Map(rows.map(([, code, status]) => [String(code), Number(status)]));
}

describe('the catalogue of errors', () => {
  it('is what docs/errors.md lists: every code, its status, and nothing else', () => {
    const catalogue = Object.fromEntries(Object.entries(ERRORS).map(([code, { status }]) => [code, status]));
    expect(Object.fromEntries(documented())).toEqual(catalogue);
  });

  it('has a code once in the page', () => {
    const page = readFileSync(new URL('../../../docs/errors.md', import.meta.url), 'utf8');
    const codes = [...page.matchAll(/^\| `([A-Z_]+)`/gm)].map(([, code]) => code);
    expect(codes).toEqual([...new Set(codes)]);
  });
});

describe('HubError', () => {
  it('takes its status from the catalogue', () => {
    expect(new HubError('IN_USE', 'Two audiences are in the way.')).toMatchObject({
      code: 'IN_USE',
      status: 409,
      message: 'Two audiences are in the way.',
    });
  });

  it('says the same of what is not there and of what may not be seen', () => {
    expect(notFound('output', 'x').message).toBe('There is no output x, or this API key may not see it.');
  });
});
