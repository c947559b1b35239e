import { ConnectorError, type Batch, type RejectedMember, type UnnamedRejects } from '../../kit/index.js';
import type { PartnerAudience } from '../../kit/index.js';
import { batchIdOf } from './batch-id.js';
import { redact } from './connector-failure.js';
import { asBatch, settleWhenWritten, type MemberList } from './member-list.js';
import type { PartnerCalls } from './partner-calls.js';
import type { Turn } from './turn.js';

/** What to send, besides the members. */
export interface Shipment {
  audience: PartnerAudience;
  operation: 'add' | 'remove';
  fromVersion: number;
  toVersion: number;
  /** See {@link batchIdOf}. */
  run?: string;
  /** What the first request waits for; absent: nothing. */
  turn?: Turn;
}

/** What became of a batch: everybody who is in neither list was accepted. */
export interface BatchOutcome {
  rejected: RejectedMember[];
  /** Refused members that the partner did not name. */
  unnamed: UnnamedRejects[];
  /** Calls made besides the first one, to take a refused batch apart. */
  extraCalls: number;
}

/**
 * When this many groups of a batch were refused and nothing was accepted, one member of each group is tried
 * alone; all refused as well, the rest is taken as refused too. So a partner that refuses everything is
 * asked about 50 times a batch and not twice a member.
 */
const SAMPLE_GROUPS = 16;

/** A part of the batch. `start` counts members of the batch. */
interface Group {
  start: number;
  members: MemberList;
}

/**
 * Sends one batch; where the partner refuses it as a whole (`permanent`), takes it apart by halves until the
 * refused members stand alone. One bad member of n costs at most 2·ceil(log2 n) extra calls. Every part has
 * its own deterministic id. Anything but `permanent` is thrown: the whole batch is tried again later.
 */
export async function sendBatch(
  calls: PartnerCalls,
  shipment: Shipment,
  members: MemberList,
): Promise<BatchOutcome> {
  const outcome: BatchOutcome = { rejected: [], unnamed: [], extraCalls: -1 };
  let groups: Group[] = [{ start: 0, members }];
  let refusal: ConnectorError | undefined;
  let accepted = 0;
  while (groups.length > 0) {
    if (
      accepted === 0 &&
      groups.length >= SAMPLE_GROUPS &&
      groups.every(({ members: { size } }) => size > 1)
    ) {
      if (await allSamplesRefused(calls, shipment, groups, outcome)) {
        rejectWhole(groups, refusal, outcome);
        break;
      }
      accepted = 1;
    }
    const refused: Group[] = [];
    for (const group of groups) {
      const error = await sendGroup(calls, shipment, group, outcome);
      if (error) refused.push(group);
      else accepted += group.members.size;
      refusal = error ?? refusal;
      if (error && group.members.size === 1) rejectWhole([group], error, outcome);
    }
    groups = refused.filter((group) => group.members.size > 1).flatMap(halves);
  }
  outcome.rejected.sort((one, other) => one.index - other.index);
  return outcome;
}

/** Sends one group; the error where it was refused as a whole. */
async function sendGroup(
  calls: PartnerCalls,
  shipment: Shipment,
  { start, members }: Group,
  outcome: BatchOutcome,
): Promise<ConnectorError | undefined> {
  const batch = batchFor(calls, shipment, members);
  outcome.extraCalls += 1;
  try {
    const { audience: partner } = calls.line.connector;
    const { rejected, unnamed } = await calls.callBatch(
      batch,
      (ctx) => {
        if (shipment.operation === 'add') return partner.add(ctx, shipment.audience, batch);
        if (partner.remove) return partner.remove(ctx, shipment.audience, batch);
        throw new Error('The connector has no `remove`.');
      },
      shipment.turn,
    );
    settleWhenWritten(members, calls.line);
    const { secrets } = calls.line;
    for (const { index, code, message } of rejected) {
      // Partners like to quote what they refuse; a person's data do not belong into an outcome.
      const { identities = {}, attributes = {} } = members.members[index] ?? {};
      const values = [...Object.values(identities).flat(), ...Object.values(attributes)];
      const told = redact(message, [...secrets, ...values]);
      outcome.rejected.push({ index: start + index, code: redact(code, secrets), message: told });
    }
    for (const { count, code, message } of unnamed) {
      outcome.unnamed.push({ count, code: redact(code, secrets), message: redact(message, secrets) });
    }
    return undefined;
  } catch (error) {
    if (error instanceof ConnectorError && error.kind === 'permanent') return error;
    throw error;
  }
}

async function allSamplesRefused(
  calls: PartnerCalls,
  shipment: Shipment,
  groups: readonly Group[],
  outcome: BatchOutcome,
): Promise<boolean> {
  for (const { members } of groups) {
    const middle = Math.floor(members.size / 2);
    // The sample's own outcome is counted when its group is taken apart, or with the rest.
    const probe: BatchOutcome = { rejected: [], unnamed: [], extraCalls: outcome.extraCalls };
    const sample = { start: 0, members: members.slice(middle, middle + 1) };
    const refused = await sendGroup(calls, shipment, sample, probe);
    outcome.extraCalls = probe.extraCalls;
    if (!refused && probe.rejected.length === 0) return false;
  }
  return true;
}

function rejectWhole(
  groups: readonly Group[],
  error: ConnectorError | undefined,
  outcome: BatchOutcome,
): void {
  const { code, message } = error ?? { code: 'REFUSED', message: 'The partner refused the batch.' };
  for (const { start, members } of groups) {
    for (let offset = 0; offset < members.size; offset += 1) {
      outcome.rejected.push({ index: start + offset, code, message });
    }
  }
}

function halves({ start, members }: Group): Group[] {
  const middle = Math.ceil(members.size / 2);
  return [
    { start, members: members.slice(0, middle) },
    { start: start + middle, members: members.slice(middle) },
  ];
}

function batchFor(calls: PartnerCalls, shipment: Shipment, list: MemberList): Batch {
  const { fromVersion, toVersion, operation, run } = shipment;
  const { firstMpid, lastMpid } = list;
  const { connectionId } = calls.line;
  const id = batchIdOf({ connectionId, fromVersion, toVersion, operation, run, firstMpid, lastMpid });
  return asBatch(list, { id, fromVersion, toVersion });
}
