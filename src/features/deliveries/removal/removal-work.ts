import { targetOfVariant } from '../../../domain/audiences/index.js';
import { afterSending, type PartnerCalls } from '../../../host/outputs/index.js';
import { identitiesOf, isConnectorError, LIST_GONE, type PartnerAudience } from '../../../kit/index.js';
import type { Clock } from '../../../platform/clock/index.js';
import type { Database } from '../../../platform/database/index.js';
import type { WorkLease } from '../../../platform/lease/index.js';
import type { Ledger } from '../../ledger/index.js';
import { touch } from '../catch-up.js';
import { ChunkReader } from '../chunk-reader.js';
import { courseOptions, type Attempt, type CourseEnd } from '../course-options.js';
import { DeliveryCourse } from '../delivery-course.js';
import type { DeliveryJournal } from '../delivery-journal.js';
import { partnerNameOf, type DeliveryOrder } from '../delivery-rows.js';
import { leavingOf, withoutKept } from '../kept-leavers.js';
import { oneAhead } from '../one-ahead.js';
import { waitForOpenJobs } from '../open-jobs.js';
import { PartnerSide, stopOnRefusal } from '../partner-side.js';
import type { Forecast, RemovalForecast } from './removal-forecast.js';
import type { RemovalJournal } from './removal-journal.js';
import type { SharedLists } from './shared-lists.js';

/** What a removal works with. */
export interface RemovalParts {
  db: Database;
  clock: Clock;
  ledger: Ledger;
  lease: WorkLease;
  journal: DeliveryJournal;
  ends: RemovalJournal;
  forecast: RemovalForecast;
  lists: SharedLists;
}

/** One try of a removal. */
interface Try {
  calls: PartnerCalls;
  signal: AbortSignal;
  attempt: Attempt;
  saveEveryMs: number | undefined;
}

/**
 * Takes away whom a deleted connection had sent: everybody who may have reached the partner, but for those whom another
 * connection has in the same list; then the list, where it is the connection's own.
 */
export class RemovalWork {
  constructor(private readonly parts: RemovalParts) {}

  /** `shared`: somebody sends to the same list just now; to be tried again. */
  async run(order: DeliveryOrder, one: Try): Promise<CourseEnd | 'shared'> {
    const { lists, forecast, ends, lease, db, clock } = this.parts;
    if (await lists.isBeingSentTo(order)) return 'shared';
    const earlier = await waitForOpenJobs(db, order, one.calls, 'earlier');
    if (earlier) return earlier;
    const found = await forecast.of(order, one.calls.line, versionsOf(order));
    await ends.note(order, found);
    await touch(db, lease, order, clock.now());
    const name = partnerNameOf(order);
    const audience = { externalId: order.connection.externalId ?? name, name };
    try {
      const end = await this.takeAway(order, found, audience, one);
      if (end !== 'sent') return end;
      const left = await waitForOpenJobs(db, order, one.calls, 'all');
      if (left) return left;
      const partner = one.calls.line.connector.audience;
      if (found.plan.list === 'deleted') {
        await stopOnRefusal(one.calls.call(async (ctx) => partner.delete?.(ctx, audience)));
      }
    } catch (error) {
      if (!isConnectorError(error) || error.code !== LIST_GONE) throw error;
      found.plan = { members: 'with_list', list: 'deleted', because: 'list_gone' };
    }
    await ends.complete(order, found);
    return 'sent';
  }

  private async takeAway(
    order: DeliveryOrder,
    found: Forecast,
    audience: PartnerAudience,
    { calls, signal, attempt, saveEveryMs }: Try,
  ): Promise<CourseEnd> {
    const { journal } = this.parts;
    const { id, cursor, accepted, rejected, skipped, fromVersion, toVersion } = order.delivery;
    const reader = this.reader(order, found, calls);
    const one = found.plan.members === 'removed';
    // Counted anew each time: who is kept may be others than before.
    const planned = (one ? reader.countRemovals(cursor.afterMpid) : Promise.resolve(0)).then((left) =>
      journal.plan(id, accepted + rejected + skipped + left, cursor),
    );
    planned.catch(() => undefined);
    try {
      if (!one) {
        await planned;
        if (found.plan.members === 'replaced') await this.replace(order, audience, calls);
        return 'sent';
      }
      const identities = { after: 0, upTo: 0 };
      const range = {
        fromVersion,
        toVersion,
        identities,
        relinks: order.connection.relinks,
        isRemoval: true,
      };
      const side = new PartnerSide(calls, audience, range);
      const options = courseOptions(calls.line.limits, attempt);
      const kept = found.sharers.map(({ members }) => members);
      const leavers = { what: 'reached', versions: versionsOf(order), kept } as const;
      const leaving = leavingOf(order, calls.line, { leavers, version: undefined, kept });
      const removals = withoutKept(reader.steps(cursor), this.parts.ledger, leaving);
      const written = () => afterSending(calls.line);
      const steps = oneAhead(removals, ({ chunk }) => chunk.members.prepare(), written);
      const parts = { steps, side, journal, planned, written, saveEveryMs };
      const end = await new DeliveryCourse(order, parts, options, signal).run();
      await planned;
      return end;
    } finally {
      // Later it would write over the cursor of whoever goes on.
      await Promise.allSettled([planned]);
    }
  }

  private reader(order: DeliveryOrder, { sharers }: Forecast, { line }: PartnerCalls): ChunkReader {
    const { fromVersion, toVersion } = order.delivery;
    return new ChunkReader(this.parts.ledger, {
      key: { audienceId: order.audience.id, workspace: order.workspace },
      target: targetOfVariant(order.variant),
      fromVersion,
      toVersion,
      identities: { after: 0, upTo: 0 },
      again: null,
      removal: { versions: versionsOf(order), kept: sharers.map(({ members }) => members) },
      forms: identitiesOf(line.connector, line.context(new AbortController().signal).settings),
      limits: line.limits,
      attributes: [],
    });
  }

  /** A whole state with nobody in it, as the version after the last. */
  private async replace(
    { delivery }: DeliveryOrder,
    audience: PartnerAudience,
    calls: PartnerCalls,
  ): Promise<void> {
    const { replace } = calls.line.connector.audience;
    const nobody = { toVersion: delivery.toVersion + 1, parts: 0, members: 0 };
    await stopOnRefusal(calls.call(async (ctx) => replace?.finish(ctx, audience, nobody)));
  }
}

/** The versions whose members may have reached the partner. */
function versionsOf({ delivery: { fromVersion, toVersion } }: DeliveryOrder): number[] {
  return [...new Set([fromVersion, toVersion])].filter((version) => version > 0);
}
