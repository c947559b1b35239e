import { and, eq, isNull, sql } from 'drizzle-orm';
import { recordAudit } from '../../../platform/audit/index.js';
import { hashApiKey, newApiKey } from '../../../platform/crypto/index.js';
import { apiKeys, hubFacts, type Database, type Transaction } from '../../../platform/database/index.js';
import { SHOWN_PREFIX_LENGTH } from './api-keys.service.js';

/** Which row of api_keys stands for HUB_ADMIN_KEY. */
const FACT = 'admin_key_id';
/** Processes that start together make one key. */
const ADMIN_KEY_LOCK = 7_240_119;

/**
 * Sees to it that somebody can get in. With `configured` (HUB_ADMIN_KEY): that key is an admin of the whole
 * hub, and the one configured before it is revoked. Without: where the hub has no such key, one is made and
 * returned, to be shown once; it is not kept.
 */
export async function ensureAdminKey(
  db: Database,
  configured: string | undefined,
): Promise<string | undefined> {
  return db.transaction(async (tx) => {
    await tx.execute(sql`select pg_advisory_xact_lock(${ADMIN_KEY_LOCK})`);
    if (configured) {
      await ensureConfigured(tx, configured);
      return undefined;
    }
    const admins = await tx.$count(
      apiKeys,
      and(
        isNull(apiKeys.organizationId),
        isNull(apiKeys.workspaceId),
        eq(apiKeys.role, 'admin'),
        isNull(apiKeys.revokedAt),
      ),
    );
    if (admins > 0) return undefined;
    const key = newApiKey();
    const id = await insertAdmin(tx, key, 'first admin key');
    await recordAudit(tx, { action: 'api-key.create', object: { type: 'api-key', id } });
    return key;
  });
}

async function ensureConfigured(tx: Transaction, key: string): Promise<void> {
  const id = await insertAdmin(tx, key, 'HUB_ADMIN_KEY');
  const [fact] = await tx.select().from(hubFacts).where(eq(hubFacts.name, FACT));
  if (fact?.value === id) return;
  await recordAudit(tx, { action: 'api-key.create', object: { type: 'api-key', id } });
  if (fact) {
    await recordAudit(tx, { action: 'api-key.revoke', object: { type: 'api-key', id: fact.value } });
    await tx
      .update(apiKeys)
      .set({ revokedAt: sql`now()` })
      .where(eq(apiKeys.id, fact.value));
  }
  await tx
    .insert(hubFacts)
    .values({ name: FACT, value: id })
    .onConflictDoUpdate({ target: hubFacts.name, set: { value: id } });
}

/** Inserts the key, or makes the row that has it an admin's again. */
async function insertAdmin(tx: Transaction, key: string, name: string): Promise<string> {
  const admin = { organizationId: null, workspaceId: null, role: 'admin' as const, revokedAt: null };
  const [row] = await tx
    .insert(apiKeys)
    .values({ ...admin, name, hash: hashApiKey(key), prefix: key.slice(0, SHOWN_PREFIX_LENGTH) })
    .onConflictDoUpdate({ target: apiKeys.hash, set: admin })
    .returning({ id: apiKeys.id });
  if (!row) throw new Error('The database took an admin key and returned no row.');
  return row.id;
}
