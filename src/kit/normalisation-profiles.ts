/**
 * Normalisation profiles: how a partner wants values written before they are hashed. A profile is named
 * `partner@year-month` after the month in which the partner's rules were read, and never changes: other rules are
 * another profile, so that a change cannot turn matches into nothing without anybody noticing. The rules are in
 * `domain/normalisation`, the tables with their sources in docs/normalisation-profiles.md.
 */
export const NORMALISATION_PROFILES = [
  'google@2025-06',
  'iqm@2025-01',
  'meta@2024-07',
  'tiktok@2025-09',
  'uid2@2024-05',
] as const;

/** One of {@link NORMALISATION_PROFILES}. */
export type NormalisationProfile = (typeof NORMALISATION_PROFILES)[number];

/** True where `value` names a normalisation profile of the hub. */
export function isNormalisationProfile(value: string): value is NormalisationProfile {
  return (NORMALISATION_PROFILES as readonly string[]).includes(value);
}
