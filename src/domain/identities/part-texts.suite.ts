import { faker } from '@faker-js/faker';
import * as fc from 'fast-check';
import { CELL_ERRORS } from './cell-errors.js';
import type { Part } from './rules.js';
import { US_STATES } from './us-states.js';

const BLANK_TEXTS = ['', ' ', '\t', '\u00a0', '\ufeff', '\u200b', '\r\n', '  '];

const charactersOf = (text: string) => fc.constantFrom(...Array.from(text));

const noise = fc.oneof(
  fc.constantFrom(...BLANK_TEXTS),
  fc.string({ maxLength: 12 }),
  fc.string({ unit: 'binary-ascii', maxLength: 6 }),
  fc.string({
    unit: charactersOf('aZéİıßΣσςſKǅ１①²ﬁñ日本語🎉"\'’|\\$;,@.-_/#()+ \u00a0\u0301\n'),
    maxLength: 10,
  }),
  fc.integer({ min: 1, max: 400 }).map((length) => 'x'.repeat(length)),
);

const digits = (minLength: number, maxLength: number) =>
  fc.string({ unit: charactersOf('0123456789'), minLength, maxLength });

const hex = fc.oneof(
  ...[32, 40, 64, 128].map((length) =>
    fc.string({ unit: charactersOf('0123456789abcdefABCDEF'), minLength: length, maxLength: length }),
  ),
  fc.constantFrom(
    'd41d8cd98f00b204e9800998ecf8427e',
    'DA39A3EE5E6B4B0D3255BFEF95601890AFD80709',
    'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
  ),
);

const invented = <T>(make: () => T) => fc.nat().map((seed) => (faker.seed(seed), make()));

const phone = fc.oneof(
  fc
    .tuple(
      fc.constantFrom('', '+', '00', '(+', '0', '+44 (0)', '8', '06', '1', '62', '44'),
      digits(5, 14),
      fc.constantFrom('', '.0', ' x12', ' ext. 9', '#1'),
    )
    .map((pieces) => pieces.join('')),
  fc.constantFrom(
    '(212) 555-0123',
    '212.555.0123',
    '+1 (800) 555-0100',
    '1-650-555-1212',
    '9999999999',
    '+81 3-5550-1234',
  ),
  fc.string({ unit: charactersOf('0123456789+-() .x'), maxLength: 18 }),
);

const PLAUSIBLE: Readonly<Record<Part, fc.Arbitrary<string>>> = {
  customer_id: fc.oneof(
    fc.uuid(),
    digits(1, 30),
    fc.integer({ min: 250, max: 260 }).map((n) => 'é'.repeat(n / 2)),
  ),
  voter_id: fc
    .tuple(fc.constantFrom('LALNY', 'lalca', 'LAL', 'NY-', ''), digits(0, 22))
    .map((pieces) => pieces.join('')),
  npi: fc.oneof(digits(9, 11), fc.constantFrom('1144317652', '1467478172', '1275506503.0', '1144317653')),
  email: fc.oneof(
    invented(() => faker.internet.email({ provider: 'example.com' })),
    fc.emailAddress(),
    fc.tuple(noise, noise, noise).map(([a, b, c]) => `${a}@${b}.${c}`),
    fc.integer({ min: 60, max: 70 }).map((length) => `${'a'.repeat(length)}@example.com`),
  ),
  email_sha256: hex,
  email_sha1: hex,
  email_md5: hex,
  email_sha512: hex,
  phone,
  phone_sha256: hex,
  phone_sha1: hex,
  phone_md5: hex,
  phone_sha512: hex,
  full_address: invented(() => `${faker.location.streetAddress(true)}, ${faker.location.city()}`),
  first_name: invented(() => faker.person.firstName()),
  last_name: invented(
    () => `${faker.person.lastName()}${faker.helpers.arrayElement([', Jr.', "-O'Neil", ' III', ''])}`,
  ),
  street: invented(() =>
    faker.helpers.arrayElement([
      '12 North Main Street, Apt. #4',
      '12-34 Queens BLVD.',
      faker.location.streetAddress(true),
    ]),
  ),
  zip: fc.oneof(
    digits(2, 10),
    fc
      .tuple(digits(3, 6), fc.constantFrom('-', ' ', '.0', '-1234', '-12'), digits(0, 4))
      .map((pieces) => pieces.join('')),
  ),
  state: fc.constantFrom(
    ...Object.keys(US_STATES),
    ...Object.values(US_STATES),
    'n.y.',
    'new  york',
    'Washington, DC',
    'Washington D.C.',
    'ZZ',
  ),
};

/** Texts such as a column of `part` may hold: plausible ones, broken ones, nothing, noise. */
export function anyPartText(part: Part): fc.Arbitrary<string> {
  const blank = fc.constantFrom(...BLANK_TEXTS);
  const padded = fc.tuple(blank, PLAUSIBLE[part], blank).map((pieces) => pieces.join(''));
  return fc.oneof(
    { weight: 6, arbitrary: padded },
    { weight: 2, arbitrary: noise },
    { weight: 1, arbitrary: fc.constantFrom(...CELL_ERRORS, '#n/a', '#N/A ', '\t#N/A\u00a0', '#1') },
  );
}
