import { ConnectorError } from '../../kit/index.js';
import type { FaultDetail } from '../faults/index.js';
import type { Delivery } from './delivery-rows.js';

/** What a delivery comes to: ids, versions and counts. */
export function factsOf(
  row: Pick<
    Delivery,
    'connectionId' | 'fromVersion' | 'toVersion' | 'planned' | 'accepted' | 'rejected' | 'skipped'
  >,
) {
  const { connectionId, fromVersion, toVersion, planned, accepted, rejected, skipped } = row;
  return {
    connectionId: { to: connectionId },
    version: { from: fromVersion, to: toVersion },
    members: { to: { planned, accepted, rejected, skipped } },
  };
}

/** Nobody is lost between plan and outcome, or the delivery does not count as delivered. */
export function requireBalance({ id, planned, accepted, rejected, skipped }: Delivery): void {
  if (planned === accepted + rejected + skipped) return;
  throw new ConnectorError(
    'unexpected',
    'COUNTS_DISAGREE',
    `Delivery ${id} planned ${planned} members, but ${accepted} were accepted, ${rejected} rejected and ` +
      `${skipped} skipped. Either the warehouse lost members of the version (a backup was restored, a disk failed): import ` +
      `the audience's file again. Or this is a mistake of the hub: report it.`,
  );
}

export function subjectOf({ id, workspaceId, connectionId }: Delivery) {
  return { deliveryId: id, workspaceId, connectionId };
}

export function detailOf({ code }: ConnectorError, attempts: number, firstFailureAt: Date): FaultDetail {
  const status = /^HTTP_(\d{3})$/.exec(code)?.[1];
  return {
    attempts,
    firstFailureAt: firstFailureAt.toISOString(),
    ...(status === undefined ? {} : { httpStatus: Number(status) }),
  };
}
