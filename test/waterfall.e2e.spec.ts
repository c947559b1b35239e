import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startDrop, type Drop } from './support/drop.js';

interface ImportView {
  state: string;
  rows: Record<string, unknown> | null;
  waterfall: Record<string, unknown> | null;
}

let drop: Drop;

beforeAll(async () => {
  drop = await startDrop();
});
afterAll(() => drop?.stop());

const importOf = (name: string, lines: readonly string[]) =>
  drop.importOf<ImportView>(`${name}.csv`, `${lines.join('\n')}\n`);

describe('the waterfall of an import', () => {
  it('says where the rows of a file of one identity went', async () => {
    const view = await importOf('one', [
      'Email',
      'ann@example.com',
      'ANN@example.com',
      'bob@example.com',
      'nobody',
    ]);
    expect(view.waterfall).toEqual({
      rows: 4,
      rejected: 1,
      rejectedByReason: { EMAIL_INVALID: 1 },
      valid: 3,
      matched: 0,
      matchedBy: {},
      new: 3,
      unknown: 0,
      duplicates: 1,
      members: 2,
      knownProfiles: 0,
      newProfiles: 2,
      matchRate: 0,
    });
    expect(view.rows).not.toHaveProperty('waterfall');
  });

  it('counts each row at its strongest matching identity, and reasons of both readings together', async () => {
    const view = await importOf('several', [
      'Customer ID,Email,Phone',
      'c1,ann@example.com,',
      'c1,,+12025550101',
      'c2,,+12025550102',
      ',,+12025550102',
      ',bob@example.com,+12025550103',
      ',nobody,',
      'c9,too,many,columns',
    ]);
    expect(view.waterfall).toEqual({
      rows: 7,
      rejected: 2,
      rejectedByReason: { EMAIL_INVALID: 1, TOO_MANY_COLUMNS: 1 },
      valid: 5,
      // Of c1 the first row is Ann by her e-mail; the second one follows it by the customer id.
      matched: 3,
      matchedBy: { email: 2, customer_id: 1 },
      new: 2,
      unknown: 0,
      duplicates: 2,
      members: 3,
      knownProfiles: 2,
      newProfiles: 1,
      matchRate: 0.6,
    });
  });

  it('is null where nothing was counted', async () => {
    expect(await importOf('refused', ['Nonsense', 'x'])).toMatchObject({ state: 'failed', waterfall: null });
  });
});
