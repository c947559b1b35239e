import { targetOfVariant } from '../../domain/audiences/index.js';
import { sharedAttributes } from '../../domain/identities/index.js';
import type { PartnerLine } from '../../host/outputs/index.js';
import { identitiesOf } from '../../kit/index.js';
import type { DeliveryCursor } from '../../platform/database/index.js';
import { codesOf, type LearnedOf, type Ledger } from '../ledger/index.js';
import { ChunkReader } from './chunk-reader.js';
import { FRESH_CURSOR, FRESH_WHOLE, type DeliveryOrder } from './delivery-rows.js';
import { publishedChanges } from './published-changes.js';

/** Who reads what a delivery of changes has to send, and where sending begins or goes on. */
export function readingOf(
  order: DeliveryOrder,
  line: PartnerLine,
  { ledger, isWhole }: { ledger: Ledger; isWhole: boolean },
): { reader: ChunkReader; cursor: DeliveryCursor } {
  const { delivery, connection, audience, variant, workspace } = order;
  const forms = identitiesOf(line.connector, line.context(new AbortController().signal).settings);
  const attributes = sharedAttributes(connection.attributes);
  const learnedOf = learnedByPlan(order) ?? {
    codes: codesOf(forms),
    attributes: attributes.map(({ key }) => key),
  };
  const reader = new ChunkReader(ledger, {
    key: { audienceId: audience.id, workspace },
    target: targetOfVariant(variant),
    fromVersion: delivery.fromVersion,
    toVersion: delivery.toVersion,
    published: publishedChanges(order),
    identities: { after: delivery.fromIdentities, upTo: delivery.toIdentities },
    again: delivery.sendsAgain,
    forms,
    limits: line.limits,
    attributes,
    learnedOf,
  });
  const fresh = isWhole ? FRESH_WHOLE : { ...FRESH_CURSOR, learnedOf };
  return { reader, cursor: delivery.planned === null ? fresh : delivery.cursor };
}

/** What members who stay are to have learned, where it was planned already; undefined: as the connection is now. */
function learnedByPlan({ delivery: { planned, cursor } }: DeliveryOrder): LearnedOf | undefined {
  return planned === null ? undefined : cursor.learnedOf;
}
