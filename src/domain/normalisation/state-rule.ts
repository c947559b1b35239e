import { asciiLower } from '../identities/text.js';
import { storedRule } from './partner-rule.js';

/** Two letters in lower case. */
export const stateLower = storedRule('state', {
  apply: (value) => asciiLower(value),
  sql: (value) => `lower(${value})`,
  keepsLength: true,
});
