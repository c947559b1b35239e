import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { SqlBench } from '../../../test/support/evaluate-sql.js';
import { IDENTITY_TYPES } from '../../kit/index.js';
import { anyPartText } from './part-texts.suite.js';
import { IDENTITY_PARTS, normalise, normaliseSql, PARTS, ruleOf, type NormaliseOptions } from './rules.js';

let bench: SqlBench;
beforeAll(async () => {
  bench = await SqlBench.open();
});
afterAll(() => bench.close());

const SAMPLES = 1500;

/** Blocks that have been complete for long: engines differ in which letters of the latest Unicode they know. */
const LONG_IN_USE = [
  [0x01, 0x052f],
  [0x0590, 0x05ff],
  [0x1e00, 0x20bf],
  [0x3000, 0x30ff],
  [0x4e00, 0x9fa5],
  [0xac00, 0xd7a3],
  [0xfb00, 0xfb06],
  [0xff00, 0xff9f],
  [0x10400, 0x1044f],
  [0x1f300, 0x1f5ff],
] as const;

async function expectTwins(part: (typeof PARTS)[number], texts: string[], options: NormaliseOptions = {}) {
  const rule = ruleOf(part, options);
  const rows = await bench.evaluate(
    texts.map((raw) => ({ raw })),
    { value: rule.valueSql('raw'), reason: rule.reasonSql('raw') },
  );
  const differing = texts
    .map((raw, index) => {
      const { value, reason = '' } = rule.apply(raw);
      return { raw, js: { value, reason }, sql: rows[index] };
    })
    .filter(({ js, sql }) => js.value !== sql?.value || js.reason !== sql.reason);
  expect(differing.slice(0, 5)).toEqual([]);
}

describe('the SQL of a rule says what its function says', () => {
  it.each(PARTS)('of %s', async (part) => {
    await expectTwins(part, fc.sample(anyPartText(part), SAMPLES));
  });

  it.each(['US', 'GB', 'DE', 'IT', 'RU', 'HU', 'ID', 'JP'])(
    'of phone with default region %s',
    async (region) => {
      await expectTwins('phone', fc.sample(anyPartText('phone'), SAMPLES / 2), { defaultRegion: region });
    },
  );

  it.each(['', 'l2', 'targetsmart', 'acme_1'])('of ids of the data partner "%s"', async (partner) => {
    await expectTwins('voter_id', fc.sample(anyPartText('voter_id'), SAMPLES / 2), { partner });
    await expectTwins('npi', fc.sample(anyPartText('npi'), SAMPLES / 4), { partner });
  });

  it.each(['email', 'first_name', 'street'] as const)('of %s, for every letter long in use', async (part) => {
    const letters = LONG_IN_USE.flatMap(([first, last]) =>
      Array.from({ length: last - first + 1 }, (_, offset) => String.fromCodePoint(first + offset)),
    );
    const texts = letters.map((letter) =>
      part === 'email' ? `a${letter}B@example.com` : `a${letter}B${letter}`,
    );
    await expectTwins(part, texts);
  });
});

describe('normalise', () => {
  it('says the same as its SQL for every identity type', async () => {
    for (const type of IDENTITY_TYPES) {
      const parts = IDENTITY_PARTS[type];
      const rows = fc.sample(fc.tuple(...parts.map((part) => anyPartText(part))), 300);
      const columns = parts.map((_, index) => `p${index}`);
      const results = await bench.evaluate(
        rows.map((row) => Object.fromEntries(row.map((raw, index) => [`p${index}`, raw]))),
        { ...normaliseSql(type, columns) },
      );
      const expected = rows.map((row) => ({ reason: '', ...normalise(type, row) }));
      expect(results).toEqual(expected);
    }
  });

  it('is idempotent: a normalised value normalises to itself', () => {
    for (const part of PARTS) {
      const rule = ruleOf(part);
      fc.assert(
        fc.property(anyPartText(part), (raw) => {
          const { value } = rule.apply(raw);
          expect(rule.apply(value)).toEqual({ value });
        }),
      );
    }
  });

  it('joins the parts of a combination', () => {
    expect(normalise('first_last_zip_state', [' Ada ', "O'Brien-Smith", '501', 'new york'])).toEqual({
      value: 'ada|obriensmith|00501|NY',
    });
    expect(
      normalise('last_street_zip_state', ['Lee', '12 North Main Street, Apt. 4', '10001-1234', 'NY']),
    ).toEqual({
      value: 'lee|12 n main st apt 4|10001|NY',
    });
  });

  it('finds nothing where a part is missing, and a reason where a part is wrong', () => {
    expect(normalise('street_zip_state', ['1 Main St', ' ', 'NY'])).toEqual({ value: '' });
    expect(normalise('street_zip_state', ['1 Main St', '10001', 'Atlantis'])).toEqual({
      value: '',
      reason: 'STATE_UNKNOWN',
    });
    expect(normalise('street_zip_state', ['', '10001', 'Atlantis'])).toEqual({
      value: '',
      reason: 'STATE_UNKNOWN',
    });
  });
});
