import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { SqlBench } from '../../../test/support/evaluate-sql.js';
import {
  IDENTITY_ENCODINGS,
  IDENTITY_TYPES,
  NORMALISATION_PROFILES,
  type NormalisationProfile,
} from '../../kit/index.js';
import { IDENTITY_PARTS, normalise } from '../identities/index.js';
import { anyPartText } from '../identities/part-texts.suite.js';
import { FILE_FIELDS, STORED_FIELDS, type ProfileField } from './partner-rule.js';
import { partnerValue, partnerValueSql, problemOfForm, readForPartner } from './partner-value.js';
import { profileRule } from './profiles.js';

/** A published example: text, what it is normalised to, and its hash where the partner tells. */
interface Vector {
  profile: NormalisationProfile;
  field: ProfileField;
  in: string;
  normalised: string;
  sha256?: string;
  base64?: string;
}

const vectors = JSON.parse(
  readFileSync(new URL('./vectors.json', import.meta.url), 'utf8'),
) as readonly Vector[];

let bench: SqlBench;
beforeAll(async () => {
  bench = await SqlBench.open();
});
afterAll(() => bench.close());

const FIELDS: readonly ProfileField[] = [...STORED_FIELDS, ...FILE_FIELDS];
const taken = NORMALISATION_PROFILES.flatMap((profile) =>
  FIELDS.filter((field) => profileRule(profile, field) !== undefined).map((field) => ({ profile, field })),
);
const FILE_TEXTS: Partial<Record<ProfileField, fc.Arbitrary<string>>> = {
  country: fc.constantFrom('US', ' gb ', 'de', 'USA', '1', ''),
  date_of_birth: fc.constantFrom('1970-02-28', '19700230', ' 1999/12/31', '12/31/1999', '1-1-1970', ''),
  gender: fc.constantFrom('M', 'female', ' Male', 'x', ''),
  device_id: fc.oneof(fc.uuid(), fc.constant('00000000-0000-0000-0000-000000000000')),
};
const textOf = (field: ProfileField): fc.Arbitrary<string> => {
  const stored = STORED_FIELDS.find((one) => one === field);
  return stored ? anyPartText(stored) : fc.oneof(fc.string(), FILE_TEXTS[field] ?? fc.string());
};
const anyTaken = fc
  .constantFrom(...taken)
  .chain((one) => fc.record({ raw: textOf(one.field) }).map((text) => ({ ...one, ...text })));

describe('the published examples', () => {
  it.each(vectors)('$profile $field: $in', ({ profile, field, in: raw, ...expected }) => {
    const read = readForPartner(profile, field, raw, 'sha256');
    expect(read).toMatchObject({ value: expected.normalised });
    if (expected.sha256 !== undefined) expect(read?.sent).toBe(expected.sha256);
    if (expected.base64 !== undefined) {
      expect(readForPartner(profile, field, raw, 'sha256_base64')?.sent).toBe(expected.base64);
    }
  });
});

describe('what partners say besides', () => {
  it.each<[NormalisationProfile, ProfileField, string, string]>([
    ['google@2025-06', 'email', ' Ada Love lace@Gmail.com ', 'adalovelace@gmail.com'],
    ['google@2025-06', 'email', 'a.da+list@googlemail.com', 'ada@googlemail.com'],
    ['uid2@2024-05', 'email', 'a.da+list@googlemail.com', 'a.da+list@googlemail.com'],
    ['google@2025-06', 'email', '+list@gmail.com', 'EMAIL_LEFT_OUT'],
    ['google@2025-06', 'first_name', 'Dr. Mary-Ann', 'mary-ann'],
    ['google@2025-06', 'first_name', 'Dr', 'dr'],
    ['google@2025-06', 'last_name', 'King, III, Ph.D.', 'king, iii, ph.d.'],
    ['google@2025-06', 'last_name', 'King III, PhD', 'king'],
    ['google@2025-06', 'last_name', ', Jr.', 'NAME_LEFT_OUT'],
    ['google@2025-06', 'zip', '10001-1234', '10001'],
    ['google@2025-06', 'country', 'us', 'US'],
    ['meta@2024-07', 'first_name', "O'Brien-Smith", 'obriensmith'],
    ['meta@2024-07', 'city', "Coeur d'Alene", 'coeurdalene'],
    ['meta@2024-07', 'state', 'New York', 'ny'],
    ['meta@2024-07', 'zip', '10001-1234', '10001'],
    ['meta@2024-07', 'date_of_birth', '1970-02-28', '19700228'],
    ['meta@2024-07', 'date_of_birth', '1970-02-30', 'DATE_INVALID'],
    ['meta@2024-07', 'date_of_birth', '02/03/1970', 'DATE_INVALID'],
    ['meta@2024-07', 'gender', 'Female', 'f'],
    ['meta@2024-07', 'country', 'USA', 'COUNTRY_INVALID'],
    [
      'meta@2024-07',
      'device_id',
      'AB1234CD-E123-12FG-J123-AB1234CDE123'.replace(/[GJ]/g, 'A'),
      'ab1234cd-e123-12fa-a123-ab1234cde123',
    ],
    ['tiktok@2025-09', 'email', 'Ada @example.com', 'ada@example.com'],
    ['tiktok@2025-09', 'phone', '+1 (800) 555-0100', '+18005550100'],
    // no country code is invented: not from ten digits, and not from eleven in one run
    ['meta@2024-07', 'phone', '6505551212', 'PHONE_NO_COUNTRY_CODE'],
    ['meta@2024-07', 'phone', '13812345678', 'PHONE_NO_COUNTRY_CODE'],
    ['uid2@2024-05', 'phone', '(234) 567-8901', 'PHONE_NO_COUNTRY_CODE'],
    ['iqm@2025-01', 'phone', '+44 20 7946 0958', 'PHONE_NOT_US'],
    ['iqm@2025-01', 'phone', '+1 345 678 9012', '3456789012'],
  ])('%s %s: %j → %s', (profile, field, raw, expected) => {
    const read = readForPartner(profile, field, raw, 'sha256');
    expect(read?.reason ?? read?.value).toBe(expected);
  });

  it('takes the country code of a phone from the region that the workspace names', () => {
    expect(
      readForPartner('google@2025-06', 'phone', '020 7946 0958', 'raw', { defaultRegion: 'GB' }),
    ).toEqual({ value: '+442079460958', sent: '+442079460958' });
  });

  it('does not hash what the partner wants to read', () => {
    expect(readForPartner('google@2025-06', 'zip', '10001', 'sha256')?.sent).toBe('10001');
    expect(readForPartner('google@2025-06', 'state', 'NY', 'sha256')).toBeUndefined();
  });
});

describe('every rule', () => {
  it('reads what it has read as the same', () => {
    fc.assert(
      fc.property(anyTaken, ({ profile, field, raw }) => {
        const rule = profileRule(profile, field);
        const { value } = rule?.read(raw) ?? { value: '' };
        if (field === 'phone' && value !== '' && !value.startsWith('+')) return;
        if (value !== '') expect(rule?.read(value)).toEqual({ value });
      }),
      { numRuns: 3000 },
    );
  });

  it('passes a hash through untouched, in whatever field it comes', () => {
    fc.assert(
      fc.property(fc.constantFrom(...taken), fc.string(), ({ profile, field }, text) => {
        const hash = createHash('sha256').update(text).digest('hex');
        if (profileRule(profile, field)?.hashed !== true) return;
        expect(readForPartner(profile, field, hash, 'sha256')?.sent).toBe(hash);
        expect(readForPartner(profile, field, hash.toUpperCase(), 'sha256')?.sent).toBe(hash.toUpperCase());
        const base64 = Buffer.from(hash, 'hex').toString('base64');
        expect(readForPartner(profile, field, hash, 'sha256_base64')?.sent).toBe(base64);
      }),
    );
  });

  it('sends nothing of what is empty or left out, and never its hash', () => {
    fc.assert(
      fc.property(anyTaken, fc.constantFrom(...IDENTITY_ENCODINGS), ({ profile, field, raw }, encoding) => {
        const read = readForPartner(profile, field, raw, encoding);
        if (read?.value === '' || read?.reason !== undefined) expect(read.sent).toBe('');
        else expect(read?.sent).not.toBe('');
      }),
      { numRuns: 2000 },
    );
    for (const { profile, field } of taken) {
      for (const blank of ['', ' ', '\u00a0']) {
        expect(readForPartner(profile, field, blank, 'sha256')).toEqual({ value: '', sent: '' });
      }
    }
  });

  it('gives a phone no digit that was not there', () => {
    fc.assert(
      fc.property(fc.constantFrom(...NORMALISATION_PROFILES), anyPartText('phone'), (profile, raw) => {
        const { value = '' } = readForPartner(profile, 'phone', raw, 'raw') ?? {};
        const inOrder = Array.from(value.replace('+', '')).join('.*');
        expect(raw.replaceAll(/\D/g, '')).toMatch(new RegExp(inOrder));
      }),
      { numRuns: 2000 },
    );
  });
});

describe('the SQL of a form', () => {
  const forms = NORMALISATION_PROFILES.flatMap((profile) =>
    IDENTITY_TYPES.flatMap((type) =>
      (['raw', 'sha256', 'sha256_base64'] as const).map((encoding) => ({ type, encoding, profile })),
    ),
  ).filter((form) => problemOfForm(form) === undefined);

  it.each([...new Set(forms.map(({ type }) => type))])('says what its function says, of %s', async (type) => {
    const anyValue = fc
      .tuple(...IDENTITY_PARTS[type].map((part) => anyPartText(part)))
      .map((parts) => normalise(type, parts).value)
      .filter((value) => value !== '');
    const values = [...fc.sample(anyValue, 300), ...(type === 'customer_id' ? ['a'.repeat(64)] : [])];
    const own = forms.filter((form) => form.type === type);
    const rows = await bench.evaluate(
      values.map((value) => ({ value })),
      Object.fromEntries(own.map((form, index) => [`f${index}`, partnerValueSql(form, 'value')])),
    );
    expect(rows).toEqual(
      values.map((value) =>
        Object.fromEntries(own.map((form, index) => [`f${index}`, partnerValue(form, value)])),
      ),
    );
  });

  it('writes a combination part by part, hashed where the partner wants it hashed', () => {
    const value = 'mary|quinn jr|10001|NY';
    const hash = (text: string) => createHash('sha256').update(text).digest('hex');
    const form = { type: 'first_last_zip_state', encoding: 'sha256' } as const;
    expect(partnerValue({ ...form, profile: 'meta@2024-07' }, value)).toBe(
      [hash('mary'), hash('quinn jr'), hash('10001'), hash('ny')].join('|'),
    );
    expect(partnerValue({ ...form, profile: 'google@2025-06' }, value)).toBe(
      [hash('mary'), hash('quinn'), '10001', ''].join('|'),
    );
  });

  it('is refused where the partner takes no part of the identity', () => {
    expect(problemOfForm({ type: 'npi', encoding: 'sha256', profile: 'meta@2024-07' })).toBe(
      'the profile meta@2024-07 has no rule for npi',
    );
  });
});
