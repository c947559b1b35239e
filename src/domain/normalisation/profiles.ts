import type { NormalisationProfile } from '../../kit/index.js';
import { emailByMailbox, emailWithoutBlanks, plainEmail } from './email-rules.js';
import {
  cityRule,
  countryLower,
  countryUpper,
  dateOfBirthRule,
  deviceIdAsItIs,
  deviceIdLower,
  genderRule,
} from './file-rules.js';
import { firstNameWithoutTitle, lastNameWithoutSuffix } from './name-rules.js';
import {
  asItIs,
  type FieldRule,
  type FileField,
  type ProfileField,
  type StoredField,
  type StoredRule,
} from './partner-rule.js';
import { phoneDigits, phoneE164, phoneTenDigits } from './phone-rules.js';
import { stateLower } from './state-rule.js';

/** The fields a partner takes, and how it wants each of them. */
export type ProfileRules = { readonly [F in StoredField]?: StoredRule } & {
  readonly [F in FileField]?: FieldRule;
};

/**
 * All normalisation profiles. None of them is ever changed: a partner that changes its rules gets another one.
 * Sources of every rule: docs/normalisation-profiles.md.
 */
const PROFILES: Readonly<Record<NormalisationProfile, ProfileRules>> = {
  'google@2025-06': {
    email: emailByMailbox(['gmail.com', 'googlemail.com']),
    phone: phoneE164,
    first_name: firstNameWithoutTitle,
    last_name: lastNameWithoutSuffix,
    zip: asItIs('zip', false),
    country: countryUpper,
    device_id: deviceIdAsItIs,
  },
  'iqm@2025-01': { email: plainEmail, phone: phoneTenDigits },
  'meta@2024-07': {
    email: plainEmail,
    phone: phoneDigits,
    customer_id: asItIs('customer_id'),
    first_name: asItIs('first_name'),
    last_name: asItIs('last_name'),
    zip: asItIs('zip'),
    state: stateLower,
    city: cityRule,
    country: countryLower,
    date_of_birth: dateOfBirthRule,
    gender: genderRule,
    device_id: deviceIdLower,
  },
  'tiktok@2025-09': {
    email: emailWithoutBlanks,
    phone: phoneE164,
    customer_id: asItIs('customer_id'),
    device_id: deviceIdAsItIs,
  },
  'uid2@2024-05': { email: emailByMailbox(['gmail.com']), phone: phoneE164, device_id: deviceIdAsItIs },
};

/** The rules of a profile. */
export function rulesOf(profile: NormalisationProfile): ProfileRules {
  return PROFILES[profile];
}

/** A profile's rule for a field; undefined where the partner does not take the field. */
export function profileRule(profile: NormalisationProfile, field: ProfileField): FieldRule | undefined {
  return PROFILES[profile][field];
}
