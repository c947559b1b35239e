import { describe, expect, it } from '@jest/globals';
import { CELL_ERRORS } from './cell-errors.js';
import { PHONE_REGIONS } from './phone-regions.js';
import { PARTS, ruleOf, type Part } from './rules.js';

function expectRule(part: Part, raw: string, expected: string, defaultRegion?: string) {
  const { value, reason } = ruleOf(part, { defaultRegion }).apply(raw);
  expect(reason ?? value).toBe(expected);
}

describe('single values', () => {
  it.each<[Part, string, string]>([
    ['customer_id', ' H.Jekyll ', 'H.Jekyll'],
    ['customer_id', 'x'.repeat(256), 'CUSTOMER_ID_TOO_LONG'],
    ['customer_id', 'a\0b', 'CUSTOMER_ID_NUL'],
    ['email', ' John_Smith@Example.com ', 'john_smith@example.com'],
    ['email', 'a.b+c@example.com', 'a.b+c@example.com'],
    ['email', 'a@b@example.com', 'EMAIL_INVALID'],
    ['email', 'a@example', 'EMAIL_INVALID'],
    ['email', 'a b@example.com', 'EMAIL_INVALID'],
    ['email', 'a@-example.com', 'EMAIL_INVALID'],
    ['email', 'a@example..com', 'EMAIL_INVALID'],
    ['email', 'n/a', 'EMAIL_INVALID'],
    ['voter_id', 'lalny987654', 'LALNY987654'],
    ['voter_id', 'NY-000020745', 'NY-000020745'],
    ['voter_id', 'LALN1', 'VOTER_ID_INVALID'],
    ['voter_id', 'a_b', 'VOTER_ID_INVALID'],
    ['npi', '1144317652', '1144317652'],
    ['npi', '1467478172', '1467478172'],
    ['npi', '1275506503', '1275506503'],
    ['npi', '1234567893.0', '1234567893'],
    ['npi', '1234567894', 'NPI_CHECK_DIGIT'],
    ['npi', '3234567893', 'NPI_INVALID'],
    ['email_md5', ' 0CC175B9C0F1B6A831C399E269772661', '0cc175b9c0f1b6a831c399e269772661'],
    ['email_md5', 'd41d8cd98f00b204e9800998ecf8427e', 'HASH_OF_NOTHING'],
    ['email_sha1', '0cc175b9c0f1b6a831c399e269772661', 'HASH_INVALID'],
    ['first_name', " Mary-Ann  O'Neil ", 'maryann oneil'],
    ['first_name', 'Vale\u0301ry', 'val\u00e9ry'],
    ['first_name', '--', 'NAME_INVALID'],
    ['street', '12 North Main Street, Apartment #4', '12 n main st apt 4'],
    ['street', '7 N.W. 3rd AVENUE', '7 nw 3rd ave'],
    [
      'full_address',
      '11 The Shire Middle Earth, New York, 10001, NY',
      '11 the shire middle earth new york 10001 ny',
    ],
    ['street', '#', 'ADDRESS_INVALID'],
    ['state', 'New York', 'NY'],
    ['state', 'ny', 'NY'],
    ['state', 'Washington, D.C.', 'DC'],
    ['state', 'District of Columbia', 'DC'],
    ['state', 'puerto rico', 'PR'],
    ['state', 'Atlantis', 'STATE_UNKNOWN'],
    ['zip', '10001', '10001'],
    ['zip', '10001-1234', '10001'],
    ['zip', '100011234', '10001'],
    ['zip', '2134', '02134'],
    ['zip', '501', '00501'],
    ['zip', '2134.0', '02134'],
    ['zip', '00000', 'ZIP_INVALID'],
    ['zip', '12', 'ZIP_INVALID'],
    ['zip', '1000112', 'ZIP_INVALID'],
  ])('%s %j → %s', (part, raw, expected) => {
    expectRule(part, raw, expected);
  });
});

describe('values at the bounds of their rules', () => {
  const of = (length: number, letter = 'x') => letter.repeat(length);

  it.each<[Part, string, string, string]>([
    ['customer_id', 'has at most 255 bytes', of(255), of(256)],
    ['customer_id', 'is measured in bytes', of(127, 'é'), of(128, 'é')],
    ['voter_id', 'of L2 has a digit', 'LALNY1', 'LALNY'],
    ['voter_id', 'of L2 has at most twenty digits', `LALNY${of(20, '1')}`, `LALNY${of(21, '1')}`],
    ['voter_id', 'has at least three characters', 'A-1', 'A1'],
    ['voter_id', 'has at most 64 characters', of(64, 'A'), of(65, 'A')],
    ['email', 'has a local part of at most 64 bytes', `${of(64)}@example.com`, `${of(65)}@example.com`],
    ['email', 'is measured in bytes', `${of(32, 'é')}@example.com`, `${of(33, 'é')}@example.com`],
    ['email', 'has at most 254 bytes', `a@${of(248)}.com`, `a@${of(249)}.com`],
    ['email', 'has a last label of at least two letters', 'a@example.co', 'a@example.c'],
    ['email', 'may have a last label in ASCII spelling', 'a@example.xn--p1ai', 'a@example.xn--'],
    ['email', 'may have several labels', 'a@mail.eu.example.com', 'a@mail..example.com'],
    ['email_md5', 'has 32 digits', of(32, 'a'), of(33, 'a')],
    ['email_sha1', 'has 40 digits', of(40, 'a'), of(39, 'a')],
    ['phone_sha256', 'has 64 digits', of(64, 'a'), of(65, 'a')],
    ['phone_sha512', 'has 128 digits', of(128, 'f'), of(128, 'g')],
    ['first_name', 'has at most 255 bytes', of(255), of(256)],
    ['last_name', 'is measured in bytes', of(127, 'é'), of(128, 'é')],
    ['street', 'has at most 255 bytes', of(255), of(256)],
    ['full_address', 'is measured in bytes', of(127, 'é'), of(128, 'é')],
    ['zip', 'is at least the lowest in use', '00501', '00500'],
    ['phone', 'without country code has at least seven digits', '5550123', '555012'],
    [
      'phone',
      'without country code has at most fifteen digits',
      `2125550123${of(5, '4')}`,
      `2125550123${of(6, '4')}`,
    ],
    ['phone', 'with country code has at least seven digits', '+4455501', '+445550'],
    [
      'phone',
      'with country code has at most fifteen digits',
      `+442079460958${of(3, '4')}`,
      `+442079460958${of(4, '4')}`,
    ],
    ['phone', 'of North America has ten digits', '+12125550123', '+121255501234'],
  ])('%s %s', (part, _, usable, beyond) => {
    expect(ruleOf(part).apply(usable)).toEqual({ value: usable });
    expect(ruleOf(part).apply(beyond)).toMatchObject({ value: '', reason: expect.any(String) });
  });

  it.each(Array.from('123456789'))('a phone is no filler of %s alone', (digit) => {
    expect(ruleOf('phone').apply(digit.repeat(10)).reason).toBe('PHONE_INVALID');
    expect(ruleOf('phone').apply(`${digit.repeat(9)}0`).reason).toBeUndefined();
  });
});

describe('a cell without a value', () => {
  it.each(PARTS)('is nothing, and no mistake, where it is blank (%s)', (part) => {
    for (const blank of ['', ' ', '\t \r\n']) expect(ruleOf(part).apply(blank)).toStrictEqual({ value: '' });
  });

  it.each(PARTS)('is refused where a spreadsheet has put an error in its place (%s)', (part) => {
    expect(CELL_ERRORS).toEqual(expect.arrayContaining(['#N/A', '#REF!', '#VALUE!', '#DIV/0!', '#NAME?']));
    for (const error of [...CELL_ERRORS, ' #N/A ']) {
      expect(ruleOf(part).apply(error)).toStrictEqual({ value: '', reason: 'CELL_ERROR' });
    }
  });
});

describe('phones', () => {
  it.each([
    // without a default region no country code is invented
    ['3456789012', '3456789012', undefined],
    ['(345) 678-9012 ext. 5', '3456789012', undefined],
    ['3456789012.0', '3456789012', undefined],
    ['1(650)555-1212', '16505551212', undefined],
    ['+1 (234) 567-8901', '+12345678901', undefined],
    ['0044 20 7946 0958', '+442079460958', undefined],
    ['+44 (0)20 7946 0958', '+442079460958', undefined],
    ['02079460958', '02079460958', undefined],
    ['12345', 'PHONE_INVALID', undefined],
    ['555-CALL-NOW', 'PHONE_INVALID', undefined],
    ['0000000000', 'PHONE_INVALID', undefined],
    ['+1 234 567', 'PHONE_INVALID', undefined],
    ['+12125550123.0', '+12125550123', undefined],
    ['212-555-0123 extension 123456', '2125550123', undefined],
    ['212-555-0123;x.1', '2125550123', undefined],
    ['212-555-0123 x1234567', 'PHONE_INVALID', undefined],
    // with one
    ['3456789012', '+13456789012', 'US'],
    ['1-345-678-9012', '+13456789012', 'US'],
    ['678-9012', 'PHONE_INVALID', 'US'],
    ['0345678901', 'PHONE_INVALID', 'US'],
    ['1234567890', 'PHONE_INVALID', 'US'],
    ['+442079460958', '+442079460958', 'US'],
    ['020 7946 0958', '+442079460958', 'GB'],
    ['2079460958', '+442079460958', 'GB'],
    ['442079460958', '+442079460958', 'GB'],
    ['0151 23456789', '+4915123456789', 'DE'],
    ['06 12 34 56 78', '+33612345678', 'FR'],
    ['03-5550-1234', '+81355501234', 'JP'],
    ['090 1234 5678', '+819012345678', 'JP'],
    ['098765 43210', '+919876543210', 'IN'],
    ['0412 345 678', '+61412345678', 'AU'],
    ['06 698 12345', '+390669812345', 'IT'],
    ['39 0669 8123', 'PHONE_AMBIGUOUS', 'IT'],
    ['8 (912) 345-67-89', '+79123456789', 'RU'],
    ['06 20 123 4567', '+36201234567', 'HU'],
    ['628123456789', 'PHONE_AMBIGUOUS', 'ID'],
    ['0812 3456 789', '+628123456789', 'ID'],
  ])('%j → %s (default region %s)', (raw, expected, region) => {
    expectRule('phone', raw, expected, region);
  });

  it('refuse a default region that no numbering plan is known for, and know over a hundred', () => {
    expect(() => ruleOf('phone', { defaultRegion: 'XX' })).toThrow('No numbering plan for region "XX"');
    expect(PHONE_REGIONS.size).toBeGreaterThan(100);
    for (const [region, plan] of PHONE_REGIONS) {
      expect(region).toMatch(/^[A-Z]{2}$/);
      expect(plan.callingCode).toMatch(/^[1-9]\d{0,2}$/);
      expect(plan.minDigits).toBeLessThanOrEqual(plan.maxDigits);
      expect(plan.callingCode.length + plan.maxDigits).toBeLessThanOrEqual(15);
    }
  });
});
