import {
  type Batch,
  type BatchResult,
  defineOutput,
  fault,
  type PartnerAudience,
  type RejectedMember,
} from '../../src/kit/index.js';
import { API, type ApiContext, track } from './api.js';
import { type BrazeIdentity, IDENTITY_OF, updatesOf } from './attributes.js';
import {
  ATTRIBUTE_NAMES,
  attributeRefusal,
  connectionSettings,
  credentials,
  MAX_NAME_LENGTH,
  nameProblem,
  settings,
} from './settings.js';

const identity = (type: BrazeIdentity) => ({ type, encoding: 'raw' as const });

/** Membership as a custom attribute of users in Braze, to target push, e-mail and everything else by. */
export const braze = defineOutput({
  id: 'braze',
  name: 'Braze',
  description: 'Marks the members of an audience with a custom attribute of their Braze profiles.',
  version: '1.0.0',
  settings,
  credentials,
  connectionSettings,
  identities: [identity('customer_id'), identity('email'), identity('phone')],
  identitiesFor: ({ identifyBy, share }) => {
    const types = new Set<BrazeIdentity>([...identifyBy.map((way) => IDENTITY_OF[way]), ...share]);
    return [...types].map(identity);
  },
  attributes: 'optional',
  attributeProblem: attributeRefusal,
  // 3,000 requests in three seconds for a workspace.
  limits: { batchSize: API.maxObjects, rateLimit: { requests: 1000, perSeconds: 1 }, concurrency: 4 },
  limitsFor: ({ requestsPerSecond }) => ({
    batchSize: API.maxObjects,
    rateLimit: { requests: requestsPerSecond, perSeconds: 1 },
    concurrency: 4,
  }),
  naming: { maxLength: MAX_NAME_LENGTH },
  namingFor: ({ membership }) => (membership === 'boolean' ? ATTRIBUTE_NAMES : undefined),
  nameFor: (connection, name) => connection.name ?? name,
  leaves: ({ createUsers, membership, onRemove }) =>
    createUsers
      ? 'Users that were made stay, and attributes that were shared keep their values.'
      : membership === 'boolean' && onRemove !== 'unset'
        ? 'The attribute stays, as false; attributes that were shared keep their values.'
        : 'Attributes that were shared keep their values.',
  knownBy: () => 'identities',
  /** Updates a user that does not exist, and says not to make it: needs the permission and changes nothing. */
  async check(ctx) {
    const nobody = {
      external_id: 'audience-hub-check',
      _update_existing_only: true,
      audience_hub_check: true,
    };
    await track(ctx, [nobody]);
  },
  audience: {
    /** Braze makes attributes by themselves; here the name is fixed, so that renaming leaves nobody behind. */
    create(ctx, { name }) {
      const wanted = ctx.connection.name ?? name;
      const problem = ctx.settings.membership === 'boolean' ? nameProblem(wanted) : lengthProblem(wanted);
      if (problem === undefined) return Promise.resolve({ externalId: wanted });
      return Promise.reject(
        fault.config('NAME_REFUSED', `The name ${wanted} ${problem}. Give the connection another name.`),
      );
    },
    add: (ctx, audience, batch) => change(ctx, 'add', audience, batch),
    remove: (ctx, audience, batch) => change(ctx, 'remove', audience, batch),
  },
});

async function change(
  ctx: ApiContext,
  operation: 'add' | 'remove',
  { externalId }: PartnerAudience,
  batch: Batch<BrazeIdentity>,
): Promise<BatchResult> {
  const updates = updatesOf(ctx.settings, externalId, operation, batch);
  const found = new Set(updates.map(({ index }) => index));
  const rejected = new Map<number, RejectedMember>();
  batch.members.forEach((_, index) => {
    if (!found.has(index)) rejected.set(index, { index, code: 'NO_IDENTIFIER', message: NO_IDENTIFIER });
  });
  for (let start = 0; start < updates.length; start += API.maxObjects) {
    const piece = updates.slice(start, start + API.maxObjects);
    for (const refused of await track(
      ctx,
      piece.map(({ attributes }) => attributes),
    )) {
      const index = piece[refused.index]?.index;
      if (index !== undefined) rejected.set(index, { index, code: 'REFUSED', message: refused.message });
    }
  }
  return { status: 'done', rejected: [...rejected.values()] };
}

const NO_IDENTIFIER = 'The member has none of the identities that identifyBy names.';

function lengthProblem(name: string): string | undefined {
  return name.length > MAX_NAME_LENGTH || name.trim() === '' ? 'must have 1 to 255 characters' : undefined;
}
