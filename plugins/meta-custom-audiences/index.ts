import {
  type Batch,
  type BatchResult,
  defineOutput,
  fault,
  type RejectedMember,
} from '../../src/kit/index.js';
import { MAX_ROWS } from './api.js';
import {
  countMatched,
  deleteAudience,
  ensureLookalike,
  makeAudience,
  type MetaContext,
} from './audiences.js';
import { checkAccount } from './check.js';
import { changeUsers, replaceUsers } from './members.js';
import { formsOf, type MetaIdentity, rowOfNobody, rowsOf } from './rows.js';
import { connectionSettings, credentials, IDENTIFIERS, settings } from './settings.js';

/** A batch of a replacement is one request: room for four values of a kind for each member. */
const REPLACE_BATCH = 2500;
const LIMITS = { batchSize: MAX_ROWS, concurrency: 2, ahead: true };
const DAY_MS = 86_400_000;

/** Members as a custom audience of a Meta ad account, found by hashes of what is known of them. */
export const metaCustomAudiences = defineOutput({
  id: 'meta-custom-audiences',
  name: 'Meta Custom Audiences',
  description:
    'Keeps a customer list of a Meta ad account equal to an audience: Facebook, Instagram, Audience Network.',
  version: '1.0.0',
  settings,
  credentials,
  connectionSettings,
  identities: formsOf(IDENTIFIERS),
  identitiesFor: ({ identifiers }) => formsOf(identifiers),
  limits: LIMITS,
  // The batches of a session go in their order.
  limitsFor: ({ mode }) => (mode === 'replace' ? { batchSize: REPLACE_BATCH } : LIMITS),
  leaves: (_, { lookalikeCountry }) =>
    lookalikeCountry === undefined
      ? undefined
      : 'A lookalike audience that was made of it stays in the ad account.',
  knownBy: () => 'identities',
  // Meta counts accounts, rounds them, and takes up to a day for a change.
  counting: { of: 'matched', toleranceShare: 0.1, toleranceCount: 1000, lagMs: DAY_MS },
  check: checkAccount,
  audience: {
    async create(ctx, { name, key = ctx.connectionId }) {
      return { externalId: await makeAudience(ctx, name, key) };
    },
    add: async (ctx, { externalId }, batch) => done(batch, () => changeUsers(ctx, externalId, 'POST', batch)),
    remove: async (ctx, { externalId }, batch) =>
      done(batch, () => changeUsers(ctx, externalId, 'DELETE', batch)),
    replace: {
      inOneGo: true,
      wanted: ({ settings: { mode } }) => mode === 'replace',
      write: async (ctx, { externalId }, batch, part) => {
        const [rows, ...more] = await rowsOf(ctx.settings, batch, MAX_ROWS);
        if (rows === undefined) return [];
        if (more.length > 0) throw tooManyRows(more.reduce((sum, { size }) => sum + size, rows.size));
        const session = { session_id: sessionOf(ctx), batch_seq: part + 1, last_batch_flag: false };
        return replaceUsers(ctx, externalId, rows, session);
      },
      /** The last batch closes the session; who is last is known only now, so that it holds nobody. */
      finish: async (ctx, { externalId }, { parts, members }) => {
        const session = {
          session_id: sessionOf(ctx),
          batch_seq: parts + 1,
          last_batch_flag: true,
          estimated_num_total: members + 1,
        };
        await replaceUsers(ctx, externalId, rowOfNobody(ctx.settings, ctx.runId), session);
      },
    },
    delivered: ensureLookalike,
    deleteTakesMembers: () => true,
    delete: (ctx, { externalId }) => deleteAudience(ctx, externalId),
    async count(ctx, { externalId }) {
      const count = await countMatched(ctx, externalId);
      if (count !== undefined) return count;
      throw fault.retryable('COUNT_NOT_READY', 'Meta has not counted the people of the audience yet.');
    },
  },
});

async function done(
  batch: Batch<MetaIdentity>,
  change: () => Promise<RejectedMember[]>,
): Promise<BatchResult> {
  return { status: 'done', rejected: batch.size === 0 ? [] : await change() };
}

/** A number of our own that no other upload of the ad account has: a fresh one for every try. */
function sessionOf({ runId }: MetaContext): string {
  return BigInt(`0x${runId.replaceAll(/[^0-9a-f]/g, '').slice(-15) || '1'}`).toString();
}

function tooManyRows(rows: number) {
  return fault.config(
    'TOO_MANY_IDENTITIES',
    `A batch of ${REPLACE_BATCH} members has ${rows} e-mail addresses or phones; a request takes ${MAX_ROWS}. Use the mode changes.`,
  );
}
