import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startDrop, type Drop } from './support/drop.js';

interface ImportView {
  state: string;
  rows: { matched: number; created: number };
}

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
const PHONE = '3456789012';

let drop: Drop;

beforeAll(async () => {
  drop = await startDrop();
});
afterAll(() => drop?.stop());

const importOf = (name: string, text: string) => drop.importOf<ImportView>(`${name}.csv`, text);

describe('people whose addresses come raw in one file and hashed in another', () => {
  it('are the same people, whichever came first', async () => {
    const raw = 'Email,Phone\nann@example.com,\nbob@example.com,3456789012\n';
    expect(await importOf('raw', raw)).toMatchObject({
      state: 'published',
      rows: { matched: 0, created: 2 },
    });
    const hashes = ['Ann@Example.com', 'eve@example.com'].map((email) => sha256(email.toLowerCase()));
    const hashed = `Email SHA256\n${hashes.join('\n')}\n`;
    expect(await importOf('hashed', hashed)).toMatchObject({ rows: { matched: 1, created: 1 } });
    const late = 'Email\nann@example.com\neve@example.com\ndan@example.com\n';
    expect(await importOf('late', late)).toMatchObject({ rows: { matched: 2, created: 1 } });
  });

  it('are found by the hash of their phone as well', async () => {
    const hashed = `Phone SHA256\n${sha256(PHONE)}\n`;
    expect(await importOf('phones', hashed)).toMatchObject({ rows: { matched: 1, created: 0 } });
  });
});
