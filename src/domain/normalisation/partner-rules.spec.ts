import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { SqlBench } from '../../../test/support/evaluate-sql.js';
import { NORMALISATION_PROFILES, type NormalisationProfile } from '../../kit/index.js';
import { textOf } from '../members/packed-value.js';
import { encodeSql, isHashed } from './encode.js';
import { PACKED } from './pack.js';
import { storedRule, type ProfileField } from './partner-rule.js';
import {
  partnerValue,
  partnerValueSql,
  problemOfForm,
  readForPartner,
  type ProfiledForm,
} from './partner-value.js';
import { profileRule } from './profiles.js';

const HASH = 'ab'.repeat(32);

describe('a partner’s rule', () => {
  it.each<[NormalisationProfile, ProfileField, string, string]>([
    ['meta@2024-07', 'device_id', '00000000-0000-0000-0000-000000000000', 'DEVICE_ID_INVALID'],
    ['tiktok@2025-09', 'device_id', 'iPhone', 'DEVICE_ID_INVALID'],
    ['google@2025-06', 'first_name', '---', 'NAME_INVALID'],
    ['google@2025-06', 'last_name', 'é'.repeat(128), 'NAME_INVALID'],
    // what the hub itself refuses keeps the hub's own reason
    ['meta@2024-07', 'phone', 'no phone', 'PHONE_INVALID'],
    ['google@2025-06', 'email', 'no address', 'EMAIL_INVALID'],
  ])('%s %s says why it sends nothing of %j: %s', (profile, field, raw, reason) => {
    expect(readForPartner(profile, field, raw, 'sha256')).toStrictEqual({ value: '', reason, sent: '' });
  });

  it('takes names of up to 255 bytes', () => {
    const name = `${'é'.repeat(127)}a`;
    expect(readForPartner('google@2025-06', 'last_name', name, 'raw')).toStrictEqual({
      value: name,
      sent: name,
    });
  });

  it.each<[NormalisationProfile, ProfileField]>([
    ['meta@2024-07', 'gender'],
    ['meta@2024-07', 'phone'],
    ['google@2025-06', 'first_name'],
    ['google@2025-06', 'country'],
  ])('%s %s has no reason to give where nothing is there', (profile, field) => {
    expect(profileRule(profile, field)?.read(' ')).toStrictEqual({ value: '' });
  });

  it('has no reason to give where it names none', () => {
    const rule = storedRule('state', { apply: () => '', sql: () => "''" });
    expect(rule.read('NY')).toStrictEqual({ value: '' });
  });
});

describe('a hash', () => {
  it('is all of small or all of capital hexadecimal digits, and of its length', () => {
    expect(isHashed('sha256', HASH)).toBe(true);
    expect(isHashed('sha256', HASH.toUpperCase())).toBe(true);
    expect(isHashed('sha1', HASH.slice(0, 40))).toBe(true);
    expect(isHashed('sha1', HASH)).toBe(false);
    expect(isHashed('raw', HASH)).toBe(false);
  });

  it.each([
    `g${HASH.slice(1)}`,
    `${HASH.slice(1)}g`,
    `G${HASH.slice(1).toUpperCase()}`,
    `${HASH.slice(1).toUpperCase()}G`,
    `A${HASH.slice(1)}`,
  ])('is nothing of another digit: %s', (text) => {
    expect(isHashed('sha256', text)).toBe(false);
  });

  it('that came in as a customer id is sent as it came', () => {
    const form = { type: 'customer_id', encoding: 'sha256', profile: 'meta@2024-07' } as const;
    expect(partnerValue(form, HASH)).toBe(HASH);
    expect(partnerValue(form, 'c-1')).toMatch(/^[0-9a-f]{64}$/);
  });

  it('of a raw text is the text', () => {
    expect(encodeSql('raw', 'hub_text')).toBe('hub_text');
  });
});

describe('a combination', () => {
  it('is not sent where a part that the partner takes is left out', () => {
    const form = { type: 'first_last_zip_state', encoding: 'sha256', profile: 'meta@2024-07' } as const;
    expect(partnerValue(form, 'mary||10001|NY')).toBe('');
    expect(partnerValue({ ...form, profile: 'google@2025-06' }, 'mary|quinn||NY')).toBe('');
  });
});

describe('packed values', () => {
  let bench: SqlBench;
  beforeAll(async () => {
    bench = await SqlBench.open();
  });
  afterAll(() => bench.close());

  const VALUES: Partial<Record<ProfiledForm['type'], readonly string[]>> = {
    email: ['a.da+list@gmail.com', 'ada@example.com', '+x@gmail.com'],
    phone: ['+16505551212', '6505551212', '+442079460958'],
    customer_id: ['c-1', HASH, HASH.slice(0, 40), HASH.slice(0, 32).toUpperCase()],
    first_last_zip_state: ['mary|quinn jr|10001|NY', `${HASH}|quinn|10001|NY`, 'mary||10001|NY'],
    last_street_zip_state: ['quinn|1 main st|10001|NY'],
  };
  const forms = NORMALISATION_PROFILES.flatMap((profile) =>
    (Object.keys(VALUES) as ProfiledForm['type'][]).flatMap((type) =>
      (['md5', 'sha1', 'sha256'] as const).map((encoding): ProfiledForm => ({ type, encoding, profile })),
    ),
  ).filter((form) => problemOfForm(form) === undefined);

  /** What `domain/members` makes of a packed value. */
  const unpacked = (hex: string) => {
    const bytes = Buffer.from(hex, 'hex');
    return bytes.length === 0 ? '' : textOf(bytes, 1, bytes.length, bytes[0] ?? 0).toString('utf8');
  };

  it('stand for what the partner gets', async () => {
    for (const form of forms) {
      const values = VALUES[form.type] ?? [];
      const rows = await bench.evaluate(
        values.map((value) => ({ value })),
        { packed: `hex(${partnerValueSql(form, 'value', PACKED)})` },
      );
      const found = rows.map(({ packed }) => [form, unpacked(String(packed))]);
      expect(found).toEqual(values.map((value) => [form, partnerValue(form, value)]));
    }
  });

  it('are hashes in bytes, and not in digits', async () => {
    const form = { type: 'email', encoding: 'sha256', profile: 'uid2@2024-05' } as const;
    const [row] = await bench.evaluate([{ value: 'ada@example.com' }], {
      length: `length(${partnerValueSql(form, 'value', PACKED)})`,
    });
    expect(Number(row?.length)).toBe(33);
  });

  it.each(['raw', 'sha256_base64'] as const)('there are none in %s', (encoding) => {
    const form = { type: 'email', encoding, profile: 'uid2@2024-05' } as const;
    expect(() => partnerValueSql(form, 'value', PACKED)).toThrow(`Values in ${encoding} cannot be packed.`);
  });
});
