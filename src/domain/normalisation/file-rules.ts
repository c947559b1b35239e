import { asciiLower, asciiUpper, SharedPattern, trimmed } from '../identities/text.js';
import type { FieldRule, LeftOutReason, PartnerText } from './partner-rule.js';

const notLetterOrDigit = new SharedPattern('[^\\p{L}\\p{M}\\p{N}]+');
const alpha2 = /^[A-Za-z]{2}$/;
const calendarDate = /^(\d{4})([-/.]?)(\d{2})\2(\d{2})$/;
const advertisingId = /^[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$/;
/** What devices say whose owners want no advertising id: one id for all of them. */
const NOBODY = '00000000-0000-0000-0000-000000000000';
const GENDERS: Readonly<Record<string, string>> = { m: 'm', male: 'm', f: 'f', female: 'f' };

/** Lower case, without blanks and punctuation. */
export const cityRule: FieldRule = reading(true, 'CITY_INVALID', (text) =>
  notLetterOrDigit.replaceAll(text.normalize('NFC').toLowerCase(), ''),
);

/** ISO 3166-1 alpha-2 in lower case. */
export const countryLower: FieldRule = reading(true, 'COUNTRY_INVALID', (text) =>
  alpha2.test(text) ? asciiLower(text) : '',
);

/** ISO 3166-1 alpha-2 in upper case, not hashed. */
export const countryUpper: FieldRule = reading(false, 'COUNTRY_INVALID', (text) =>
  alpha2.test(text) ? asciiUpper(text) : '',
);

/** YYYYMMDD of a date of the calendar. */
export const dateOfBirthRule: FieldRule = reading(true, 'DATE_INVALID', (text) => {
  const [, year = '', , month = '', day = ''] = calendarDate.exec(text) ?? [];
  const time = new Date(`${year}-${month}-${day}T00:00:00Z`);
  const isDate = !Number.isNaN(time.getTime()) && time.getUTCDate() === Number(day);
  return isDate ? `${year}${month}${day}` : '';
});

/** m or f. */
export const genderRule: FieldRule = reading(
  true,
  'GENDER_INVALID',
  (text) => GENDERS[asciiLower(text)] ?? '',
);

/** Mobile advertising id in lower case, not hashed. */
export const deviceIdLower: FieldRule = reading(false, 'DEVICE_ID_INVALID', (text) =>
  isAdvertisingId(text) ? asciiLower(text) : '',
);

/** Mobile advertising id as the device gives it, not hashed. */
export const deviceIdAsItIs: FieldRule = reading(false, 'DEVICE_ID_INVALID', (text) =>
  isAdvertisingId(text) ? text : '',
);

function isAdvertisingId(text: string): boolean {
  return advertisingId.test(text) && text !== NOBODY;
}

function reading(hashed: boolean, invalid: LeftOutReason, read: (text: string) => string): FieldRule {
  return {
    hashed,
    read(raw): PartnerText {
      const text = trimmed(raw);
      if (text === '') return { value: '' };
      const value = read(text);
      return value === '' ? { value, reason: invalid } : { value };
    },
  };
}
