import { maskValue } from '../../domain/files/index.js';
import { reaches, type Principal } from '../tenancy/index.js';

/** Editors and admins see identities; to viewers they are masked: enough to tell them apart, not to use them. */
export function shownValue(principal: Principal, value: string): string {
  return reaches(principal.role, 'editor') ? value : maskValue(value);
}
