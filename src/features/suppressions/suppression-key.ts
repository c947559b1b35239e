import { randomBytes } from 'node:crypto';
import { eq } from 'drizzle-orm';
import { hubFacts, type Database } from '../../platform/database/index.js';
import type { SqlParams } from '../../platform/warehouse/index.js';

const FACT = 'suppression_key';

/** The key as parameters of a query that has an expression of {@link entrySql}. */
export type KeyParams = SqlParams & { suppressionKey0: bigint; suppressionKey1: bigint };

/**
 * The key under which suppressed identities are hashed: 128 random bits, made once a hub. It is kept in the metadata and
 * not with the secret key: whoever changes that one loses credentials and must not bring suppressed people back.
 */
export async function suppressionKey(db: Database): Promise<KeyParams> {
  const read = async () => {
    const [fact] = await db.select().from(hubFacts).where(eq(hubFacts.name, FACT));
    return fact?.value;
  };
  const known = await read();
  if (known !== undefined) return paramsOf(known);
  await db
    .insert(hubFacts)
    .values({ name: FACT, value: randomBytes(16).toString('hex') })
    .onConflictDoNothing();
  return paramsOf((await read()) ?? '');
}

function paramsOf(hex: string): KeyParams {
  if (!/^[0-9a-f]{32}$/.test(hex)) throw new Error('The key of the suppressions in hub_facts is no key.');
  return {
    suppressionKey0: BigInt(`0x${hex.slice(0, 16)}`),
    suppressionKey1: BigInt(`0x${hex.slice(16)}`),
  };
}
