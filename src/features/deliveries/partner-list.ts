import type { PartnerCalls } from '../../host/outputs/index.js';
import type { PartnerAudience } from '../../kit/index.js';
import type { DeliveryJournal } from './delivery-journal.js';
import { partnerNameOf, type DeliveryOrder } from './delivery-rows.js';
import { stopOnRefusal } from './partner-side.js';

/** Makes the audience at the partner the first time, or anew. A repeated `create` carries the same key. */
export async function partnerAudience(
  journal: DeliveryJournal,
  order: DeliveryOrder,
  calls: PartnerCalls,
): Promise<PartnerAudience> {
  const { connection } = order;
  const name = partnerNameOf(order);
  const partner = calls.line.connector.audience;
  if (connection.externalId !== null) {
    const known = { externalId: connection.externalId, name };
    if (connection.renamePending) {
      await stopOnRefusal(calls.call(async (ctx) => partner.rename?.(ctx, known)));
      await journal.keepName(connection.id, name);
    }
    return known;
  }
  if (!partner.create) return { externalId: name, name };
  const { id, relinks, renamePending } = connection;
  const key = relinks === 0 ? id : `${id}-${relinks}`;
  // A try whose answer is lost may have made it, under a name that is another by the next try.
  if (partner.rename) await journal.doubtName(id);
  const { externalId, found = false } = await stopOnRefusal(
    calls.call(async (ctx) => (await partner.create?.(ctx, { name, key })) ?? { externalId: name }),
  );
  await journal.keepExternalId(id, externalId, !found);
  const made = { externalId, name };
  if (renamePending) await stopOnRefusal(calls.call(async (ctx) => partner.rename?.(ctx, made)));
  if (partner.rename) await journal.keepName(id, name);
  return made;
}
