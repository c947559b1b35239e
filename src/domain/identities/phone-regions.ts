/** How national numbers of a region become E.164. */
export interface PhoneRegion {
  /** Country calling code, digits. */
  callingCode: string;
  /** Digits dialled before a national number inside the country, and dropped in E.164; '' where there are none. */
  trunk: string;
  /** Digits of a national number without the trunk prefix: fixed lines and mobiles. */
  minDigits: number;
  maxDigits: number;
}

const NORTH_AMERICA = 'US CA PR DO JM TT BS BB BM GU VI AS MP AG AI DM GD KN KY LC MS SX TC VC VG';

/** `region code trunk min max`; trunk `-` = none (ITU-T E.164 and E.129 national numbering plans). */
const PLANS = `
GB 44 0 9 10;GG 44 0 10 10;IM 44 0 10 10;JE 44 0 10 10;IE 353 0 7 9;FR 33 0 9 9;DE 49 0 6 11;AT 43 0 7 11;
CH 41 0 9 9;LI 423 - 7 9;IT 39 - 6 11;ES 34 - 9 9;PT 351 - 9 9;NL 31 0 9 9;BE 32 0 8 9;LU 352 - 4 11;
DK 45 - 8 8;SE 46 0 7 9;NO 47 - 8 8;FI 358 0 5 10;IS 354 - 7 9;PL 48 - 9 9;CZ 420 - 9 9;SK 421 0 9 9;
HU 36 06 8 9;RO 40 0 9 9;BG 359 0 7 9;GR 30 - 10 10;CY 357 - 8 8;MT 356 - 8 8;HR 385 0 8 9;SI 386 0 8 8;
RS 381 0 7 10;BA 387 0 8 9;ME 382 0 8 8;MK 389 0 8 8;AL 355 0 8 9;EE 372 - 7 8;LV 371 - 8 8;LT 370 0 8 8;
UA 380 0 9 9;BY 375 8 9 9;MD 373 0 8 8;RU 7 8 10 10;KZ 7 8 10 10;TR 90 0 10 10;IL 972 0 8 9;AE 971 0 8 9;
SA 966 0 9 9;QA 974 - 8 8;KW 965 - 8 8;BH 973 - 8 8;OM 968 - 8 8;JO 962 0 8 9;LB 961 0 7 8;EG 20 0 8 10;
MA 212 0 9 9;DZ 213 0 8 9;TN 216 - 8 8;ZA 27 0 9 9;NG 234 0 8 10;KE 254 0 7 9;GH 233 0 9 9;UG 256 0 9 9;
TZ 255 0 9 9;ET 251 0 9 9;SN 221 - 9 9;CI 225 - 10 10;CM 237 - 9 9;IN 91 0 10 10;PK 92 0 9 10;BD 880 0 8 10;
LK 94 0 9 9;NP 977 0 8 10;JP 81 0 9 10;KR 82 0 8 10;CN 86 0 9 11;TW 886 0 8 9;HK 852 - 8 8;MO 853 - 8 8;
SG 65 - 8 8;MY 60 0 8 10;TH 66 0 8 9;VN 84 0 9 10;ID 62 0 8 12;PH 63 0 8 10;KH 855 0 8 9;LA 856 0 8 10;
MM 95 0 7 10;MN 976 0 8 10;AU 61 0 9 9;NZ 64 0 8 10;FJ 679 - 7 7;PG 675 - 7 8;BR 55 0 10 11;AR 54 0 10 11;
CL 56 - 9 9;CO 57 0 10 10;PE 51 0 8 9;EC 593 0 8 9;VE 58 0 10 10;BO 591 0 8 8;PY 595 0 7 9;UY 598 0 8 8;
MX 52 - 10 10;GT 502 - 8 8;SV 503 - 8 8;HN 504 - 8 8;NI 505 - 8 8;CR 506 - 8 8;PA 507 - 7 8;CU 53 0 8 8;
GE 995 0 9 9;AM 374 0 8 8;AZ 994 0 9 9;UZ 998 - 9 9`;

/** ISO 3166 alpha-2 → numbering plan, for a workspace's default region. */
export const PHONE_REGIONS: ReadonlyMap<string, PhoneRegion> = new Map([
  ...NORTH_AMERICA.split(' ').map(
    (region) => [region, { callingCode: '1', trunk: '1', minDigits: 10, maxDigits: 10 }] as const,
  ),
  ...PLANS.split(';').map((plan) => {
    const [region = '', callingCode = '', trunk = '', min = '', max = ''] = plan.trim().split(' ');
    const numbers = { minDigits: Number(min), maxDigits: Number(max) };
    return [region, { callingCode, trunk: trunk === '-' ? '' : trunk, ...numbers }] as const;
  }),
]);

/** True where {@link PHONE_REGIONS} knows `region`. */
export function isPhoneRegion(region: string): boolean {
  return PHONE_REGIONS.has(region);
}

/**
 * The calling code at the start of digits with country code, as an alternation that RE2 and JavaScript read
 * alike: zones 1 and 7 have one digit, those listed two, all others three (ITU-T E.164 list of country codes).
 */
export const CALLING_CODES = '(?:1|7|2[07]|3[0-469]|4[013-9]|5[1-8]|6[0-6]|8[1246]|9[0-58]|[2-9][0-9]{2})';
