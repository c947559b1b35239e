import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { SqlBench } from '../../../test/support/evaluate-sql.js';
import { hashForms, hashFormsSql } from './hash-forms.js';
import { codeOf } from './identity-codes.js';
import { identityHashSql } from './identity-hash.js';
import { anyPartText } from './part-texts.suite.js';
import { PHONE_REGIONS } from './phone-regions.js';
import { normalise, ruleOf } from './rules.js';

let bench: SqlBench;
beforeAll(async () => {
  bench = await SqlBench.open();
});
afterAll(() => bench.close());

/** Raw column, hashed column: the sample rows of IQM's upload guide. */
const PHONES = [
  ['3456789012', '26cc49f1a2133f3784b937017f9cc86e05b5413c7f91b0b6bd6375631b68371e'],
  ['5678901234', '2f510ce904687db4b2706fdaf33f1d0e678be13cc5fe300cf695a546befa5fc8'],
  ['7890123456', '453fc17260d034186d92d1e58cc557fea9cafc1bf886154b472057feed950605'],
] as const;
const EMAILS = [
  ['Bilbo.Baggins@lotr.com', '43f5f8fabe82fc8dce2452267f5550bb036d0ddf33368682a9cd5da8286d63a0'],
  ['Frodo.Baggins@lotr.com', 'ceb005d969f16f9a6a487849d27bf854fac1f0733aa61995bcbb5cb928dfc410'],
  ['Samwise.Gamgee@lotr.com', '986c1ae0d3cef60591d3b29aa54afb5d9654406d7cfa4fcbb65c3ad45ad1ce5c'],
] as const;

describe('hash forms', () => {
  it.each([undefined, 'US'])(
    'find a phone by the hash of its bare ten digits (default region %s)',
    (defaultRegion) => {
      for (const [raw, sha256] of PHONES) {
        const { value } = normalise('phone', [raw], { defaultRegion });
        expect(value).toBe(defaultRegion === undefined ? raw : `+1${raw}`);
        expect(hashForms('phone', value)).toContainEqual({ type: 'phone_sha256', value: sha256 });
      }
    },
  );

  it('find an e-mail by the hash of its lower-case address', () => {
    for (const [raw, sha256] of EMAILS) {
      const { value } = normalise('email', [raw]);
      expect(hashForms('email', value)).toContainEqual({ type: 'email_sha256', value: sha256 });
    }
  });

  it.each([
    // the digits with country code, and the E.164 form
    ['1(650)555-1212', 'e323ec626319ca94ee8bff2e4c87cf613be6ea19919ed1364124e16807ab3176'],
    ['+1 (800) 555-0100', 'fb4f73a6ec5fdb7077d564cdd22c3554b43ce49168550c3b12c547b78c517b30'],
  ])('find %s as partners hash it', (raw, sha256) => {
    const { value } = normalise('phone', [raw], { defaultRegion: 'US' });
    expect(hashForms('phone', value)).toContainEqual({ type: 'phone_sha256', value: sha256 });
  });

  it('drop the country code of any zone: one, two and three digits', () => {
    const nationalMd5 = (phone: string) => hashForms('phone', phone)[8]?.value;
    const md5 = (text: string) => hashForms('phone', text)[0]?.value;
    expect(nationalMd5('+12125550123')).toBe(md5('2125550123'));
    expect(nationalMd5('+442079460958')).toBe(md5('2079460958'));
    expect(nationalMd5('+353201234567')).toBe(md5('201234567'));
  });

  it('drop the country code of every region that has a numbering plan', () => {
    for (const { callingCode } of PHONE_REGIONS.values()) {
      const [, , , , , , , , bare] = hashForms('phone', `+${callingCode}5550123`);
      expect(bare).toEqual(hashForms('phone', '5550123')[0]);
    }
  });

  it('are twelve for a phone with country code, four else, none for nothing', () => {
    expect(hashForms('phone', '+12125550123')).toHaveLength(12);
    expect(hashForms('phone', '2125550123')).toHaveLength(4);
    expect(hashForms('email', 'a@example.com')).toHaveLength(4);
    expect(hashForms('email', '')).toEqual([]);
  });

  it.each(['email', 'phone'] as const)('of %s are the same in SQL', async (type) => {
    const values = fc.sample(anyPartText(type), 400).map((raw) => ruleOf(type).apply(raw).value);
    const rows = await bench.evaluate(
      values.map((value) => ({ value })),
      { forms: hashFormsSql(type, 'value') },
    );
    expect(rows.map((row) => row.forms)).toEqual(
      values.map((value) => hashForms(type, value).map((form) => [codeOf(form.type), form.value])),
    );
  });
});

describe('the identity hash', () => {
  it('is 128 bits wide and differs by type and by value', async () => {
    const [row] = await bench.evaluate([{ a: 'x', b: 'y' }], {
      type: `toTypeName(${identityHashSql('email', 'a')})`,
      distinct: `uniqExact(arrayJoin([${identityHashSql('email', 'a')}, ${identityHashSql('email', 'b')}, ${identityHashSql('phone', 'a')}])) OVER ()`,
      sameByCode: `${identityHashSql('email', 'a')} = ${identityHashSql({ codeSql: String(codeOf('email')) }, 'a')}`,
    });
    expect(row).toEqual({ type: 'UInt128', distinct: 3, sameByCode: 1 });
  });

  it('does not change: it is a stored key', async () => {
    const [row] = await bench.evaluate([{ value: 'a' }], {
      hash: `toString(${identityHashSql('customer_id', 'value')})`,
    });
    expect(row).toEqual({ hash: '211352305337852923580676175605744317801' });
  });
});
