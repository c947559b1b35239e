import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { waterfallOf } from '../imports/index.js';
import { ruleOf } from './rules.js';
import { US_STATES } from './us-states.js';

const digit = fc.constantFrom(...Array.from('0123456789'));
const digits = (length: number) => fc.string({ unit: digit, minLength: length, maxLength: length });
/** What people write between the digits of a number. */
const gap = fc.constantFrom('', ' ', '-', '.', ' - ');
const valueOf = (part: Parameters<typeof ruleOf>[0], raw: string, defaultRegion?: string) =>
  ruleOf(part, defaultRegion === undefined ? {} : { defaultRegion }).apply(raw);

/** Calling code, and national numbers as they are written there without a trunk prefix. */
const PLANS = {
  US: {
    code: '1',
    national: fc.tuple(fc.constantFrom(...Array.from('23456789')), digits(9)).map((parts) => parts.join('')),
  },
  FR: {
    code: '33',
    national: fc.tuple(fc.constantFrom(...Array.from('1234567')), digits(8)).map((parts) => parts.join('')),
  },
  ES: {
    code: '34',
    national: fc.tuple(fc.constantFrom(...Array.from('6789')), digits(8)).map((parts) => parts.join('')),
  },
} as const;

describe('a phone number', () => {
  const region = fc.constantFrom(...(Object.keys(PLANS) as (keyof typeof PLANS)[]));
  const number = region.chain((name) => fc.tuple(fc.constant(name), PLANS[name].national));

  it('without country code and region never gets a country code', () => {
    fc.assert(
      fc.property(fc.array(digits(1), { minLength: 1, maxLength: 18 }), gap, (each, between) => {
        fc.pre(!each.join('').startsWith('00'));
        const { value, reason } = valueOf('phone', each.join(between));
        expect([value, reason]).toEqual(
          reason === undefined ? [each.join(''), undefined] : ['', 'PHONE_INVALID'],
        );
      }),
    );
  });

  it('with a region is what it is with the country code written out, or is refused as ambiguous', () => {
    let read = 0;
    fc.assert(
      fc.property(number, gap, ([name, national], between) => {
        const written = valueOf('phone', `+${PLANS[name].code} ${national}`);
        const spelled = Array.from(national).join(between);
        const { value, reason } = valueOf('phone', spelled, name);
        if (reason === 'PHONE_AMBIGUOUS') return;
        read += value === '' ? 0 : 1;
        expect({ value, reason }).toEqual({ value: written.value, reason: written.reason });
      }),
    );
    expect(read).toBeGreaterThan(0);
  });

  it('with its country code is the same in every region', () => {
    fc.assert(
      fc.property(number, region, fc.constantFrom('+', '00'), ([name, national], elsewhere, sign) => {
        const text = `${sign}${PLANS[name].code}${national}`;
        expect(valueOf('phone', text, elsewhere)).toEqual(valueOf('phone', text));
      }),
    );
  });
});

describe('a state', () => {
  it('is the same in every spelling', () => {
    const state = fc.constantFrom(...Object.entries(US_STATES));
    const spelled = (text: string, upper: boolean, between: string) =>
      (upper ? text.toUpperCase() : text.toLowerCase()).replaceAll(' ', between);
    fc.assert(
      fc.property(
        state,
        fc.boolean(),
        fc.constantFrom(' ', '-', '_', '', '  '),
        fc.constantFrom('', ' ', '\t', '\u00a0'),
        ([code, name], upper, between, around) => {
          const texts = [code, code.split('').join('.'), name].map((text) => spelled(text, upper, between));
          for (const text of texts) expect(valueOf('state', around + text + around)).toEqual({ value: code });
        },
      ),
    );
  });
});

describe('a ZIP', () => {
  it('is the same with and without its four, its leading zeros and what a spreadsheet appends', () => {
    fc.assert(
      fc.property(fc.integer({ min: 501, max: 99_999 }), digits(4), (number, four) => {
        const value = String(number).padStart(5, '0');
        const short = String(number);
        for (const text of [
          value,
          short,
          `${short}.0`,
          `${value}-${four}`,
          `${value}${four}`,
          ` ${value} ${four}`,
          `${short}-`,
        ]) {
          expect(valueOf('zip', text)).toEqual({ value });
        }
      }),
    );
  });
});

describe('a waterfall', () => {
  it('adds up at every level, whatever was counted', () => {
    const counts = fc.dictionary(fc.stringMatching(/^[a-z]{1,8}$/), fc.nat(1000), { maxKeys: 5 });
    const sum = (by: Record<string, number>) => Object.values(by).reduce((total, rows) => total + rows, 0);
    fc.assert(
      fc.property(
        counts,
        counts,
        fc.nat(1000),
        fc.nat(1000),
        fc.nat(),
        fc.nat(),
        (reasons, matchedBy, newRows, unknown, a, b) => {
          const people = sum(matchedBy) + newRows;
          const members = people === 0 ? 0 : a % (people + 1);
          const newProfiles = b % (Math.min(members, newRows) + 1);
          const rejected = sum(reasons);
          const all = {
            rejected,
            rejectedByReason: reasons,
            matchedBy,
            newRows,
            unknown,
            newProfiles,
            members,
          };
          const found = waterfallOf(all);
          expect(found.rows).toBe(found.rejected + found.valid);
          expect(found.rejected).toBe(sum(found.rejectedByReason));
          expect(found.valid).toBe(found.matched + found.new + found.unknown);
          expect(found.matched).toBe(sum(found.matchedBy));
          expect(found.matched + found.new).toBe(found.members + found.duplicates);
          expect(found.members).toBe(found.knownProfiles + found.newProfiles);
        },
      ),
    );
  });
});
