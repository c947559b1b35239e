import type { Organization } from '../tenancy/index.js';

/** The organization's number in IQM's API: its external id. Undefined where that is no number. */
export function owIdOf(organization: Organization): number | undefined {
  return /^[1-9]\d{0,14}$/.test(organization.externalId ?? '') ? Number(organization.externalId) : undefined;
}
