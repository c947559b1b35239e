import { eq } from 'drizzle-orm';
import type { SecretBox } from '../platform/crypto/index.js';
import { hubFacts, type Database } from '../platform/database/index.js';
import { StartupError } from './startup-error.js';

const FACT = 'secret_key_check';

/**
 * Refuses to start with another secret key than the one the stored credentials were sealed with: everything
 * would seem well until the first delivery. The first start seals the text that later starts open.
 */
export async function checkSecretKey(db: Database, box: SecretBox): Promise<void> {
  await db
    .insert(hubFacts)
    .values({ name: FACT, value: box.seal('audience-hub', FACT) })
    .onConflictDoNothing();
  const [fact] = await db.select().from(hubFacts).where(eq(hubFacts.name, FACT));
  try {
    box.open(fact?.value ?? '', FACT);
  } catch (error) {
    throw new StartupError(
      'The hub did not start: its secret key is not the one that the stored credentials were sealed with. ' +
        'Set HUB_SECRET_KEY, or restore secret.key in HUB_DATA, to the former key.',
      { cause: error },
    );
  }
}
