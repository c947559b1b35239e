import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { SqlBench } from '../../test/support/evaluate-sql.js';
import { letSql, sqlString, sqlStrings } from './sql-text.js';

let bench: SqlBench;
beforeAll(async () => {
  bench = await SqlBench.open();
});
afterAll(() => bench.close());

const tricky = fc.string({
  unit: fc.oneof(
    fc.constantFrom("'", '\\', '\0', '\n', '`', '"', '%', '{', '}', '\\n', '--', '日'),
    fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }),
  ),
  maxLength: 20,
});

describe('SQL text', () => {
  it('carries any string through a literal unchanged', async () => {
    const texts = fc.sample(tricky, 500);
    const [row] = await bench.evaluate([{ any: '' }], { all: sqlStrings(texts) });
    expect(row?.all).toEqual(texts);
    const [single] = await bench.evaluate([{ any: '' }], { one: sqlString(texts.join('')) });
    expect(single?.one).toBe(texts.join(''));
  });

  it('binds names once, inside one another and beside columns', async () => {
    const inner = letSql({ hub_b: 'concat(hub_a, text)' }, 'concat(hub_b, hub_b)');
    const [row] = await bench.evaluate([{ text: 'x' }], {
      out: letSql({ hub_a: 'upper(text)', hub_c: "'!'" }, `concat(${inner}, hub_c)`),
    });
    expect(row?.out).toBe('XxXx!');
  });
});
