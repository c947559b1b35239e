import type { IdentityType } from '../../src/kit/index.js';

/** The kinds of partner: one that answers at once, one that makes jobs of batches, one that takes whole states. */
export const SIM_PLUGINS = ['sim-list', 'sim-jobs', 'sim-whole'] as const;
export type SimPlugin = (typeof SIM_PLUGINS)[number];

/** What each takes of a person. */
export const IDENTITIES_OF: Readonly<Record<SimPlugin, readonly IdentityType[]>> = {
  'sim-list': ['email'],
  'sim-jobs': ['customer_id', 'phone'],
  'sim-whole': ['email', 'phone'],
};

/** What connections name that share a list. A whole state that replaces another one is nothing to share. */
export const SHARED_LIST = 'Everybody';
export const SHARING: readonly SimPlugin[] = ['sim-list', 'sim-jobs'];
